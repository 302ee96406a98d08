"""What this machine gains from: bfloat16, which takes a third of the time or a hundred times it; fused optimisers.

And what every processor loses by: numbers too small to be normal.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch

# A product of matrices as in the nets here, how often it is timed, and a gain that is more than chance.
ROWS, WIDTH, REPEATS, GAIN = 256, 512, 7, 1.1


@cache
def gains_from_bf16(device: str = "cpu") -> bool:
    """Whether a product of matrices takes clearly less time in bfloat16 than in float32, by the best of some trials."""
    a, b = torch.ones(ROWS, WIDTH, device=device), torch.ones(WIDTH, WIDTH, device=device)

    def product(a: torch.Tensor, b: torch.Tensor) -> None:
        float((a @ b)[0, 0])  # which waits for a GPU

    low, high = a.bfloat16(), b.bfloat16()
    return GAIN * _seconds(lambda: product(low, high)) < _seconds(lambda: product(a, b))


@cache
def gains_from_fused(device: str = "cpu") -> bool:
    """Whether a step of Adam takes less time in one kernel than in several."""
    took = []
    for fused in (True, False):
        weight = torch.ones(WIDTH, WIDTH, device=device, requires_grad=True)
        weight.grad = torch.ones_like(weight)
        optimiser = torch.optim.Adam([weight], fused=fused)

        def step(optimiser: torch.optim.Adam = optimiser, weight: torch.Tensor = weight) -> None:
            optimiser.step()
            float(weight.detach()[0, 0])

        took.append(_seconds(step))
    return took[0] < took[1]


@contextmanager
def no_denormals() -> Iterator[None]:
    """Numbers below the smallest normal one are 0 in this thread: sums of them are many times as slow.

    The gradient of GELU is full of them far below zero: DeepJSCC took seven times as long after eight epochs.
    """
    flushed = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


def _seconds(do: Callable[[], None]) -> float:
    def once() -> float:
        start = time.perf_counter()
        do()
        return time.perf_counter() - start

    return min(once() for _ in range(REPEATS))
