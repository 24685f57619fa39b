"""Races and faults of the whole daemon, each forced by the sandbox's fault script.

No semantics of splits here, and nothing that a real API server could be asked as well.
"""
