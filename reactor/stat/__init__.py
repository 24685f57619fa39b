"""What `linkerd-smi stat` tells: a leaf's traffic from Prometheus beside its applied weight.

Here: queries, how their answers become figures, rows and formats. Not here: flags, and what is
wanted of a profile, which `reactor.translate` decides.
"""
