"""Learned players by name: what a checkpoint says of one, and how it is built again."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from channels import NeuralPolicy, NeuralSourcePolicy, NeuralTapPolicy, PerSymbolPolicy, Policy
from jscc_sim.checkpoint import Record, load_part
from jscc_sim.codecs import BinaryCodec, Codec, DeepJSCC, NeuralCodec, PerSymbolCodec, TailSafeCodec

Part = TypeVar("Part", Policy, Codec)


def per_symbol_policy(hidden: int = 64) -> PerSymbolPolicy:
    """A scalar net, played on each symbol independently."""
    return PerSymbolPolicy(NeuralPolicy(1, hidden))


def per_symbol_codec(k: int = 1, hidden: int = 64) -> PerSymbolCodec:
    """A scalar tail-safe codec, shared by ``k`` symbols."""
    return PerSymbolCodec(TailSafeCodec(1, 1, hidden), k)


POLICIES: dict[str, Callable[..., Policy]] = {
    "per-symbol": per_symbol_policy,
    "source": NeuralSourcePolicy,
    "tap": NeuralTapPolicy,
    "vector": NeuralPolicy,
}
CODECS: dict[str, Callable[..., Codec]] = {
    "free": NeuralCodec,
    "per-symbol": per_symbol_codec,
    "vector": TailSafeCodec,
}

# And codecs that play no game.
SAVED_CODECS = CODECS | {"binary": BinaryCodec, "deepjscc": DeepJSCC}


def load_policy(path: Path) -> tuple[Policy, Record]:
    """The trained policy saved at ``path``."""
    record, tensors = load_part(path, "policy")
    return _build(POLICIES, record, tensors, path), record


def load_codec(path: Path) -> tuple[Codec, Record]:
    """The trained codec saved at ``path``."""
    record, tensors = load_part(path, "codec")
    return _build(SAVED_CODECS, record, tensors, path), record


def _build(kinds: dict[str, Callable[..., Part]], record: Record, tensors: dict[str, Tensor], path: Path) -> Part:
    if record.name not in kinds:
        raise ValueError(f"{path} holds a {record.kind} called {record.name!r}, known are {', '.join(kinds)}")
    try:
        part = kinds[record.name](**record.arguments)
        part.load_state_dict(tensors)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not hold the weights it describes: {str(error).splitlines()[0]}") from None
    return part.eval()
