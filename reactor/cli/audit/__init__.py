"""`linkerd-smi audit`: one file a command, thin over reactor.client.

Finding the adaptor and showing answers is here, what they mean is not.
"""
