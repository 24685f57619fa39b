"""The definition of TrafficSplit that we ship: its text, its two forms, and its coming over others.

What it lets in and refuses is in tests/contract/test_shipped_definition.py, on both API servers.
"""
