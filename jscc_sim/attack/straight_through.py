"""A mode in which steps pass gradients straight: rounding, signs, limits, comparisons, and what detaches."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

# By the names that torch gives them, whether called as methods, functions or operators.
STEPS = {"sign", "sgn", "round", "floor", "ceil", "trunc", "fix", "heaviside", "clamp", "clip", "hardtanh"}
DETACHES = {"detach", "clone_detached"}
COMPARES = {"gt", "ge", "greater", "greater_equal", "__gt__", "__ge__"}
COMPARES_BELOW = {"lt", "le", "less", "less_equal", "__lt__", "__le__"}
CONVERTS = {"float", "double", "half", "to", "type", "type_as"}
TRUNCATES = {"int", "long", "short", "char", "bool"}
ARITHMETIC = {"mul", "add", "sub", "rsub", "__mul__", "__rmul__", "__rsub__", "__add__", "__radd__", "__sub__", "div"}


class StraightThrough(TorchFunctionMode):
    """Within it the values of torch's functions are as ever, but the gradient of a step is that of the identity.

    A comparison has the gradient of ``sigmoid(±(a − b))``, which follows it through conversions, sums, products and
    ``where``. Detaching, and turning gradients off, has no effect. Code that leaves torch, looks results up in a table
    or writes them into an ``out`` is out of reach.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """The function's own value, with a gradient that is not zero."""
        name, options = getattr(func, "__name__", ""), kwargs or {}
        if name == "_set_grad_enabled":
            return func(True)
        if "out" in options:  # which autograd refuses
            with torch.no_grad():
                return func(*args, **options)
        if name in DETACHES and args:
            return args[0]
        if name == "where" and len(args) == 3 and hasattr(args[0], "soft"):
            soft = args[0].soft
            return _passed(func(*args, **options), args[1] * soft + args[2] * (1 - soft))
        if name in ARITHMETIC:
            args = tuple(_passed(arg.to(arg.soft), arg.soft) if hasattr(arg, "soft") else arg for arg in args)
        return _stepped(name, func(*args, **options), args, options)


def _stepped(name: str, value: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """The value of a function that may be a step, with what its gradient follows."""
    if not (args and isinstance(args[0], Tensor) and isinstance(value, Tensor)):
        return value
    given = args[0]
    if name in STEPS:
        return _passed(value, given)
    if name in CONVERTS and hasattr(given, "soft") and value.is_floating_point():
        return _passed(value, given.soft)
    if name in TRUNCATES and value is not given:
        value.soft = getattr(given, "soft", given)  # type: ignore[attr-defined]
    if name in COMPARES | COMPARES_BELOW and len(args) == 2 and given.is_floating_point():
        value.soft = torch.sigmoid(given - args[1] if name in COMPARES else args[1] - given)  # type: ignore[attr-defined]
    return value


def _passed(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of one tensor with the gradient of another."""
    return _Pass.apply(hard, soft.to(hard.dtype)) if hard.shape == soft.shape else hard  # type: ignore[no-untyped-call]


class _Pass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hard: Tensor, soft: Tensor) -> Tensor:
        return hard.detach().clone()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[None, Tensor]:
        return None, slopes[0]
