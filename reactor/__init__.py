"""linkerd-smi-reactor: TrafficSplits in, ServiceProfiles out, every step in the audit log."""

__version__ = "1.1.0"
