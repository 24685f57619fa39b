"""Unit tests, a mirror of reactor/: one file for one module.

No network beyond loopback, no cluster; what needs one lives in tests/contract or tests/cluster.
"""
