"""What replicas of a regulariser in several processes share, all of which must call it equally often."""

from collections.abc import Iterable

from torch import Tensor, distributed


def are_several() -> bool:
    """Whether torch.distributed runs more than one process."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def follow_first(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with those of the first process."""
    for tensor in tensors if are_several() else ():
        distributed.broadcast(tensor.data, 0)  # as data, as it happens between a forward and its backward pass


def average(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with their means over processes."""
    for tensor in tensors if are_several() else ():
        distributed.all_reduce(tensor)
        tensor /= distributed.get_world_size()
