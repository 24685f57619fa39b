"""What `linkerd-smi check` checks: pure judgements of what was read, their order and formats.

Here: values in, results out, and when to ask again. Not here: flags, and how a request is sent.
"""
