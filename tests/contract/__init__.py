"""One suite that runs the same on the sandbox and on a real kube-apiserver."""
