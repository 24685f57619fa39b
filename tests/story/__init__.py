"""The guide's story told on a real cluster, and docs/audit.md followed afterwards, line by line.

What one command or page answers belongs in tests/audit_cli and tests/browser.
"""
