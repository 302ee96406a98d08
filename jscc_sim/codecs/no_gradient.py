"""What no gradient passes, not even where somebody sees to it that ``detach`` and ``no_grad`` have no effect."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx


def without_gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``function(x)``, whose work keeps nothing for a way back."""
    found: Tensor = _WithoutGradient.apply(x, function)  # type: ignore[no-untyped-call]
    return found


class _WithoutGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        found = function(x)
        ctx.mark_non_differentiable(found)
        return found
