"""An in-process Kubernetes API server on loopback: the embedded default, and what tests script.

Nothing here knows the adaptor, its log or its flags; clients reach it over HTTPS alone.
"""
