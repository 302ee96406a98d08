"""A user's own encoder and channel, on tensors or arrays: made, called and checked."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from channels import Channel
from jscc_sim.codecs import Codec
from jscc_sim.factory import said
from jscc_sim.link import Link
from jscc_sim.snr_check.report import Finding
from jscc_sim.sources import Bits, Gaussian, Source

Part = Callable[..., object]
Kind = Callable[[int], Source]


@dataclass(frozen=True)
class UserCode:
    """The user's encoder and channel at one level, and the source of the words."""

    encode: Part
    channel: Part
    source: Source

    def encoded(self, u: Tensor) -> Tensor:
        """What ``encode`` makes of ``u (words, k)``; ValueError unless it is a row per word."""
        x = _called("encode", self.encode, u)
        if x.ndim == 0 or len(x) != len(u) or not x.numel():
            raise ValueError(
                f"encode must map words of shape {tuple(u.shape)} to (words, ...), but it gave {tuple(x.shape)}"
            )
        return x

    def symbols(self, u: Tensor) -> Tensor:
        """The symbols ``x (words, ...)``; ValueError unless they are finite and not all zero."""
        x = self.encoded(u)
        if not x.isfinite().all():
            raise ValueError("encode gave NaN or infinite symbols for finite words: look for a division by zero")
        if not x.any():
            raise ValueError("encode sends zeros only: there is no signal whose SNR could be measured")
        return x

    def received(self, x: Tensor) -> Tensor | Finding:
        """What ``channel`` makes of ``x``, or why nothing can be measured of it."""
        y = _called("channel", self.channel, x)
        return _breakage(x, y) or y


def code_from(
    factory: Callable[[float], object], snr_db: float, *, k: int | None, source: Source | Kind | None
) -> UserCode:
    """``factory(snr_db)`` in evaluation, and the source that suits it; ValueError or TypeError if it is no code."""
    try:
        made = factory(snr_db)
    except Exception as error:
        raise ValueError(f"factory({snr_db:g}) failed: {said(error)}") from error
    if isinstance(made, Link):
        source = source or made.source
        made = (made.codec, made.channel)
    if not (isinstance(made, tuple | list) and len(made) == 2):
        raise TypeError(f"the factory must return (encode, channel) or a Link, got {_type(made)}")
    encode, channel = (part.eval() if isinstance(part, nn.Module) else part for part in made)
    codec = encode if isinstance(encode, Codec) else None
    for name, part in (("encode", codec.encode if codec else encode), ("channel", channel)):
        if not callable(part):
            raise TypeError(f"{name} must be callable, got {_type(part)} from the factory")
    if isinstance(channel, Channel) and channel.knob != "snr_db":
        raise ValueError(f"{_type(channel)} has no SNR, its level is {channel.knob}. Return a channel with snr_db")
    return UserCode(codec.encode if codec else encode, channel, _source(source, k, codec))


def _source(source: Source | Kind | None, k: int | None, codec: Codec | None) -> Source:
    """The source named, or the one that suits the codec; ValueError where word lengths differ."""
    if not isinstance(source, Source):
        length = codec.k if codec else 16 if k is None else k
        source = (source or (Bits if codec and codec.source_alphabet == "bits" else Gaussian))(length)
    if codec and codec.k != source.k:
        raise ValueError(f"words of the source have k={source.k} symbols, and the codec takes {codec.k}")
    if k is not None and k != source.k:
        raise ValueError(f"k must be {source.k}, the word length of the codec or source, got {k}")
    return source


def _breakage(x: Tensor, y: Tensor) -> Finding | None:
    """Why nothing can be measured of ``y``, if so."""
    if x.shape != y.shape:
        return Finding(
            "shape changed",
            f"the channel got {tuple(x.shape)} and returned {tuple(y.shape)}; it must keep the shape, I and Q together",
        )
    if x.is_complex() and not y.is_complex():
        said = "the channel got complex symbols and returned real ones; half of every symbol is lost"
        return Finding("shape changed", said)
    if not y.isfinite().all():
        said = "the channel returned NaN or infinite symbols for finite ones; look for a division by zero"
        return Finding("not finite", said)
    return None


def _called(name: str, part: Part, given: Tensor) -> Tensor:
    """What ``part`` makes of a tensor or, if it knows no tensors, of an array."""
    try:
        made = part(given.clone())  # some code works in place
    except (TypeError, AttributeError) as error:
        made = _called_with_array(name, part, given, error)
    except Exception as error:
        raise ValueError(f"{name} failed on words of shape {tuple(given.shape)}: {said(error)}") from error
    if isinstance(made, np.ndarray):
        made = torch.from_numpy(np.ascontiguousarray(made))
    if not isinstance(made, Tensor):
        raise TypeError(f"{name} must return one tensor or array, got {_type(made)}")
    return made


def _called_with_array(name: str, part: Part, given: Tensor, first: Exception) -> object:
    try:
        return part(given.clone().numpy(force=True))
    except Exception as error:
        raise ValueError(
            f"{name} failed on words of shape {tuple(given.shape)}, "
            f"as a tensor: {said(first)}; as an array: {said(error)}"
        ) from error


def _type(value: object) -> str:
    return type(value).__name__ + (f" of {len(value)}" if isinstance(value, tuple | list) else "")
