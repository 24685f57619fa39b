"""Measurements of the shipped wheel on a real kube-apiserver, each beside the limit of that server.

No tests here and no knowledge of the reactor's inside: it is started as its users start it.
"""
