"""`linkerd-smi audit`, on logs that a real adaptor wrote and on its port.

What the API answers belongs in tests/unit/admin, what the log holds in tests/unit/audit.
"""
