"""What `linkerd-smi check` checks: judgements of what was read, their order and formats.

Here: what is asked of the cluster, values in and results out, and when to ask again. Not here:
flags, and how a request is sent.
"""
