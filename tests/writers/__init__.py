"""The tools that write splits, each as its own code sends its requests, on both API servers.

A writer here has the real one's requests and nothing of its reasons; the tests are sequences.
"""
