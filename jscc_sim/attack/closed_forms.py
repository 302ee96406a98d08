"""Jammers in closed form, each at its worst parameter; linear jamming among them, which knows what is sent."""

from collections.abc import Callable
from typing import NamedTuple

from channels import GaussianPolicy, Policy, PulsedPolicy, TapPolicy, TonePolicy, TwoPointPolicy
from jscc_sim.attack.effort import Effort
from jscc_sim.attack.measure import most_harmful
from jscc_sim.attack.victim import Victim

DUTIES = tuple(2.0 ** (-step / 2) for step in range(15))
FREQUENCIES = tuple(step / 64 for step in range(33))
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


class ClosedForm(NamedTuple):
    """A jammer at each of its parameters, what the parameter says, and whether it knows what is sent."""

    make: Callable[[float], Policy]
    parameters: tuple[float, ...]
    says: str
    informed: bool = False


CLOSED_FORMS = {
    "gaussian": ClosedForm(lambda _: GaussianPolicy(), (1.0,), ""),
    "pulsed": ClosedForm(PulsedPolicy, DUTIES, "duty {:.3g}"),
    "two-point": ClosedForm(lambda _: TwoPointPolicy(), (1.0,), ""),
    "tone": ClosedForm(TonePolicy, FREQUENCIES, "frequency {:.3g}"),
    # −ρ x + √(1 − ρ²) v taps the channel input.
    "linear": ClosedForm(lambda share: TapPolicy(0.0, share), SHARES, "sees x, {:.0%} of its power cancels", True),
}


def worst_of(victim: Victim, form: ClosedForm, effort: Effort) -> tuple[Policy, str]:
    """The policy at its most harmful parameter, chosen on words of its own, and the parameter in words."""
    words = victim.draw(effort.choose)
    policies = [form.make(parameter) for parameter in form.parameters]
    worst = most_harmful(victim, policies, words)
    return policies[worst], form.says.format(form.parameters[worst])
