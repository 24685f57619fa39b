"""Real components for tests: a Kubernetes control plane, Helm and Linkerd's own controller.

What is here starts, prepares and asks them; nothing here knows how the reactor works inside.
"""
