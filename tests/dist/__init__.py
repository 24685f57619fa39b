"""What is put up for download: made once per session, then installed and run as users would.

Nothing of the program itself is tested here; that it starts is enough.
"""
