"""`linkerd-smi audit`: the group, which imports none of its commands."""

from __future__ import annotations

import click

from reactor.cli.lazy import LazyGroup

_COMMANDS = {
    "diff": ("reactor.cli.audit.diff:diff", "Compare a profile's overrides at two moments."),
    "export": ("reactor.cli.audit.export:export", "Write all entries, as NDJSON or CSV."),
    "history": ("reactor.cli.audit.history:history", "Tell what became of a split."),
    "list": ("reactor.cli.audit.list:list_", "List entries."),
    "show": ("reactor.cli.audit.show:show", "Show one entry in full."),
    "state": ("reactor.cli.audit.state:state", "Show a profile's overrides at a moment."),
    "stats": ("reactor.cli.audit.stats:stats", "Say how much the log holds, and what is missing."),
    "tail": ("reactor.cli.audit.tail:tail", "Follow the log."),
    "verify": ("reactor.cli.audit.verify:verify", "Prove that the log is as it was written."),
    "backup": ("reactor.cli.audit.backup:backup", "Copy the file of a log that is being written."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def audit() -> None:
    """Ask the audit log what happened, and who did it.

    The log is the adaptor's in the cluster, asked through a port-forward with your kubeconfig and
    its token; or the one that --url, --api-addr or --db names, or LINKERD_SMI_DB. An adaptor asks
    for a bearer token: where the kubeconfig has none (client certificates), give one by --token, or
    better in LINKERD_SMI_TOKEN, which nobody sees in a list of processes.

    \b
      linkerd smi audit history shop/canary      who changed this split, and to what?
      linkerd smi audit state shop/web           what do the proxies read, and since when?
      linkerd smi audit list -n shop --limit 9   what happened last?

    Tables are for people and may change: `-o json` and `-o yaml` hold all there is, `-o name` what
    `audit show` takes.
    """
