"""The adaptor as a process, given what is wrong: files, disks, servers.

No semantics of splits here, and no crashes: those have rooms of their own.
"""
