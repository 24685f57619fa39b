"""Tests of reactor.handlers."""
