"""The state of modules and optimisers, however nested, as tensors by name and plain values that JSON can hold."""

from collections.abc import Mapping

from torch import Tensor

Tensors = dict[str, Tensor]


def pack(state: object, name: str, tensors: Tensors) -> object:
    """``state`` for JSON; its tensors go into ``tensors``, under names that begin with ``name``.

    A dictionary becomes the list of its items, so that keys that are numbers stay numbers.
    """
    if isinstance(state, Tensor):
        tensors[name] = state.detach().clone()  # tensors that share memory cannot be saved
        return {"tensor": name}
    if isinstance(state, Mapping):
        return {"items": [[key, pack(value, f"{name}.{key}", tensors)] for key, value in state.items()]}
    if isinstance(state, tuple | list):
        kind = "tuple" if isinstance(state, tuple) else "list"
        return {kind: [pack(value, f"{name}.{index}", tensors) for index, value in enumerate(state)]}
    if state is None or isinstance(state, str | int | float):
        return state
    raise TypeError(f"{name} holds a {type(state).__name__}, which is neither a tensor nor a plain value")


def unpack(packed: object, tensors: Mapping[str, Tensor]) -> object:
    """What `pack` was given; KeyError if a tensor is missing."""
    if not isinstance(packed, dict):
        return packed
    ((kind, content),) = packed.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "items":
        return {key: unpack(value, tensors) for key, value in content}
    values = [unpack(value, tensors) for value in content]
    return tuple(values) if kind == "tuple" else values
