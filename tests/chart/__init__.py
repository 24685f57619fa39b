"""The helm chart and the kustomize base: what they render, and that a real API server takes it.

What the objects do once they run is not tested here.
"""
