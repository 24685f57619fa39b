"""Commands of `linkerd-smi` as pipelines use them, on a real cluster and in real shells.

What needs neither belongs in tests/unit/cli.
"""
