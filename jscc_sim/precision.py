"""Whether this machine computes faster in bfloat16: some do in a third of the time, others take a hundred times it."""

import time
from functools import cache

import torch

# A product of matrices as in the nets here, and how often it is timed.
ROWS, WIDTH, REPEATS = 256, 512, 5


@cache
def gains_from_bf16(device: str = "cpu") -> bool:
    """Whether a product of matrices takes less time in bfloat16 than in float32, by the best of a few trials."""
    a, b = torch.ones(ROWS, WIDTH, device=device), torch.ones(WIDTH, WIDTH, device=device)
    return _seconds(a.bfloat16(), b.bfloat16()) < _seconds(a, b)


def _seconds(a: torch.Tensor, b: torch.Tensor) -> float:
    def once() -> float:
        start = time.perf_counter()
        float((a @ b)[0, 0])  # which waits for a GPU
        return time.perf_counter() - start

    return min(once() for _ in range(REPEATS))
