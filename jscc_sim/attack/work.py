"""How much a decoder computes: counted rather than timed, so that an audit depends on no clock."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from jscc_sim.attack.victim import Victim
from jscc_sim.seeds import seeded

WORDS = 64


def work(victim: Victim) -> float:
    """Numbers that the decoder makes of each symbol, on some words in Gaussian jamming: all results of torch's calls.

    Some for a threshold, hundreds for a trellis, a thousand for belief propagation; what leaves torch is not seen.
    """
    with seeded(0):
        words = victim.draw(WORDS)
        y = words.heard + victim.jam_power**0.5 * torch.randn_like(words.heard)
        with _Counter() as counter:
            victim.decode(y)
    return counter.numbers / (WORDS * max(victim.codec.k, victim.codec.n))


class _Counter(TorchFunctionMode):
    """Within it, ``numbers`` counts the elements of all tensors that torch's functions return."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """The function's own value."""
        value = func(*args, **(kwargs or {}))
        self.numbers += value.numel() if isinstance(value, Tensor) else 0
        return value
