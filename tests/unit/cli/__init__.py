"""The two commands, run as their users run them.

What a command shows belongs here; what the daemon does, in tests/contract.
"""
