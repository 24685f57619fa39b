"""Tests of reactor/model: decoding, quantities, names.

Nothing here decides; decisions are tested in tests/unit/translate.
"""
