"""Tests of the project: unit, contract, cluster, bench.

Only what tests share lives above those folders; nothing here is imported by the reactor.
"""
