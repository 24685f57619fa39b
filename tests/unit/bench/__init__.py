"""Tests of tests.bench: its statistics and its arithmetic, not its measurements."""
