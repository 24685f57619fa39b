"""The container image without a container engine: the Dockerfile's own steps, run one by one.

Only the Dockerfile and what comes out of it is tested here; no cluster.
"""
