"""What a proof of the archive says."""

from __future__ import annotations

from reactor.audit.chain import Anchor, Verdict


class ArchiveVerdict(Verdict, frozen=True):
    """``anchors`` are the newest row of each log, ``remarks`` what can't be proved, since it is
    gone for a reason that is known.
    """

    anchors: tuple[Anchor, ...] = ()
    remarks: tuple[str, ...] = ()
