"""linkerd-smi-reactor: TrafficSplits in, ServiceProfiles out, every step in the audit log."""

__version__ = "0.1.0"
