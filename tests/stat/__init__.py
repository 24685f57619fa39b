"""`linkerd-smi stat`: against a real Prometheus and a real API server."""
