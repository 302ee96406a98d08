"""White box: the gradient of the codec's own loss, as it is and with steps in the decoder let through."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from jscc_sim.attack.ascent import climb, random_starts
from jscc_sim.attack.effort import Effort
from jscc_sim.attack.found import Found
from jscc_sim.attack.straight_through import StraightThrough
from jscc_sim.attack.victim import Victim, Words

Loss = Callable[[Tensor, Tensor], Tensor]


def white_box(victim: Victim, effort: Effort) -> Found:
    """Up the gradient of ``codec.loss``: for bits their log-loss, otherwise as a rule the squared error."""
    return _climbed(victim, lambda u, y: victim.codec.loss(u, y, victim.law), nullcontext, effort)


def straight_through(victim: Victim, effort: Effort) -> Found:
    """Up the gradient of the stake through the decoder, steps passed straight (Bengio, Léonard, Courville 2013).

    For bits that is ``û + u − 2uû``, which counts errors and whose slope does not vanish where there are none.
    """

    def stake(u: Tensor, y: Tensor) -> Tensor:
        decoded = victim.codec.decode(y, victim.law)
        return decoded + u - 2 * u * decoded if victim.bits else (decoded - u).square()

    return _climbed(victim, stake, StraightThrough, effort)


def _climbed(victim: Victim, loss: Loss, mode: Callable[[], AbstractContextManager[object]], effort: Effort) -> Found:
    def slope(signals: Tensor, words: Words) -> Tensor | None:
        with torch.enable_grad():
            z = signals.to(words.heard).clone().requires_grad_()  # a tensor of its own
            y = (words.heard + z.unsqueeze(1)).flatten(0, 1)
            with mode():
                total = loss(words.u.repeat(len(z), 1), y).sum()
            if not total.requires_grad:
                return None
            (found,) = torch.autograd.grad(total, z, allow_unused=True)
        return None if found is None else found.to(signals)

    return climb(victim, slope, random_starts(victim, effort), effort)
