"""The guide walked from its first command to its clean-up, on a real control plane.

What needs a node is stood in for here: statuses of pods, the injector, the adaptor's process.
"""
