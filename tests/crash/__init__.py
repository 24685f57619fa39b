"""What a crash leaves: kill -9 from outside, and the loss of all that was never synced.

`durable` is the tool; the tests use it on the journal alone and on the whole process.
"""
