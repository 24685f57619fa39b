"""That the steps which the other tests walk are the guide's own."""

from __future__ import annotations

from tests.cluster.crds import REPOSITORY
from tests.guide.steps import step, steps

# The guide lies beside the checkout where it is built; a clone alone has the copied steps only.
GUIDE = sorted((REPOSITORY.parent / "shared").glob("000_*.txt"))


def test_every_command_and_what_it_prints_stands_in_the_guide_in_this_order() -> None:
    for guide in GUIDE:
        rest = guide.read_text(encoding="utf-8")
        for one in steps():
            shown = f"{one.command}\n{one.output}".strip("\n")
            _, found, rest = rest.partition(shown)
            assert found == shown


def test_the_steps_are_read_with_their_lines_and_outputs() -> None:
    assert len(steps()) == 12
    assert step("cat <<EOF").command.endswith("    weight: 500\nEOF")
    assert step("cat <<EOF").output == ""
    assert len(step("kubectl -n linkerd-smi logs").output.splitlines()) == 8
    assert step("kubectl describe").output.splitlines()[-1] == "Events:         <none>"
