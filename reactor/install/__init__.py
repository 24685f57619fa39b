"""What `linkerd smi install` and `uninstall` print: values, and the objects made of them.

Pure but for reading the packed chart and the user's files; nothing here writes to a cluster.
"""
