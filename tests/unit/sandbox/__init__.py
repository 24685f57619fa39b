"""Tests of the sandbox at the HTTP wire, and of its pure parts by example and by rule."""
