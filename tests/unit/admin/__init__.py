"""Tests of reactor.admin: a real server on loopback, asked over a socket."""
