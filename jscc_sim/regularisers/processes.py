"""What replicas of a regulariser in several processes share, all of which must call it equally often."""

from collections.abc import Iterable

from torch import Tensor, distributed


def processes() -> int:
    """How many processes torch.distributed runs."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def follow_first(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with those of the first process."""
    for tensor in tensors if processes() > 1 else ():
        distributed.broadcast(tensor.data, 0)  # as data, as it happens between a forward and its backward pass


def average(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with their means over processes."""
    for tensor in tensors if processes() > 1 else ():
        distributed.all_reduce(tensor)
        tensor /= processes()
