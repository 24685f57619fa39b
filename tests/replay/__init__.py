"""Tests of `linkerd-smi replay`."""
