"""Jammers in closed form, each at its worst parameter; linear jamming among them, which knows what is sent."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from channels import GaussianPolicy, Policy, PulsedPolicy, TapPolicy, TonePolicy, TwoPointPolicy
from jscc_sim.attack.effort import Effort
from jscc_sim.attack.measure import CLEAR, exceeds, stakes_under
from jscc_sim.attack.victim import Victim, Words

DUTIES = tuple(2.0 ** (-step / 2) for step in range(15))
FREQUENCIES = tuple(step / 64 for step in range(33))
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
# Steps of the second pass, from the best parameter to each of its neighbours.
FINER = 5


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
    """The policy at its most harmful parameter, chosen on words drawn for this, and the parameter in words.

    Sought among the parameters given, then in finer steps about the best of them; the first of all stays unless another
    is clearly worse than it.
    """
    worst = form.parameters[0]
    if len(form.parameters) > 1:
        words = victim.draw(effort.choose)
        coarse, _ = _most(victim, form, form.parameters, words, effort.draws)
        near = (worst, *finer(form.parameters, coarse))
        found, clearly = _most(victim, form, near, words, effort.finer)
        worst = found if clearly else worst
    return form.make(worst), form.says.format(worst)


def finer(parameters: Sequence[float], best: float) -> list[float]:
    """From one neighbour of the best parameter to the other, the ends left out.

    >>> finer([1.0, 0.5, 0.25], 0.5)[::4]
    [0.9, 0.5, 0.3]
    """
    at = parameters.index(best)
    ends = parameters[max(0, at - 1)], parameters[min(at + 1, len(parameters) - 1)]
    before = [best + (ends[0] - best) * step / FINER for step in range(FINER - 1, 0, -1)]
    after = [best + (ends[1] - best) * step / FINER for step in range(1, FINER)]
    return list(dict.fromkeys([*before, best, *after]))


def _most(
    victim: Victim, form: ClosedForm, parameters: Sequence[float], words: Words, draws: int
) -> tuple[float, bool]:
    """The parameter of the greatest mean stake, and whether that is clearly above the first one's."""
    policies = [form.make(parameter) for parameter in parameters]
    stakes = list(stakes_under(victim, policies, words, draws))
    best = int(torch.stack([scores.mean() for scores in stakes]).argmax())
    return parameters[best], exceeds(stakes[best], stakes[0], CLEAR)
