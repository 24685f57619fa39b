"""The commands smi-adaptor and linkerd-smi: thin, they call the rooms below.

Nothing heavy is imported before a command needs it.
"""
