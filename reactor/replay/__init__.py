"""The log played back: its decisions by today's code, or its events into a cluster.

Reads logs; nothing here is part of the adaptor, and the adaptor needs nothing of it.
"""
