"""Pure decisions: the splits of a service become overrides, overrides and a profile a plan.

No I/O, no clock, no state: what a decision depends on is in its `Situation`.
"""
