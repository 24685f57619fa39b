"""The audit log, on real files."""
