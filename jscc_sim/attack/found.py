"""What a search hands over: candidate signals, and how its slopes behaved if it followed any."""

from typing import NamedTuple

from torch import Tensor


class Found(NamedTuple):
    """``signals (m, n)``; of the slopes followed, the shares that were zero or not finite; why there were none."""

    signals: Tensor
    flat: float = 0.0
    wild: float = 0.0
    failed: str = ""
