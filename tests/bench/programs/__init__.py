"""Programs that run in the measured environment: they import the reactor and nothing of tests.

Each is started by its path, so that the installed wheel is what they find.
"""
