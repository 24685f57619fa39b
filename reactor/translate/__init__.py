"""Pure decisions: the splits of a service become overrides, overrides and a profile a plan.

No I/O, no clock, no state: what a decision depends on is in its `Situation`.
"""

from reactor.translate.decision import Decision
from reactor.translate.overrides import overrides
from reactor.translate.plan import plan
from reactor.translate.situation import Situation


def decide(situation: Situation) -> Decision:
    """Decide what is wanted, and what to write for it."""
    desired = overrides(situation)
    return Decision(desired, plan(situation, desired))
