"""`linkerd-smi check`: each judgement from values, then the command on a real API server.

Not here: the port-forward itself, and the decisions about splits.
"""
