"""Tests of reactor/translate: decisions as values to values.

No I/O, no clock; how decisions are carried out is tested in tests/unit/handlers and contract.
"""
