"""`linkerd-smi stat`: against a real Prometheus and a real API server.

What is wanted of a profile is tested with `reactor.translate`, in tests/unit.
"""
