"""Parts that a user brings: ``package.module:factory``, found, called and checked."""

import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from channels import AWGN, BSC
from jscc_sim.codecs import Codec
from jscc_sim.seeds import seeded
from jscc_sim.sources import Source

CHECKED_SYMBOLS = 2**18
# A power over its budget by less than this is rounding or sampling.
ALLOWANCE = 0.001


def is_factory(name: str) -> bool:
    """Whether a name means ``package.module:factory`` rather than a codec or a file."""
    module, colon, attribute = name.partition(":")
    return bool(colon) and attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))


def load_factory(name: str) -> tuple[Callable[..., object], str]:
    """What ``package.module:factory`` names, the working directory being searched too, and a digest of its file."""
    module_name, _, attribute = name.partition(":")
    if not is_factory(name):
        raise ValueError(f"{name!r} names no file and no factory: write package.module:factory")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # workers inherit it
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a user's module may raise anything, and a script may leave
        raise ValueError(f"{module_name} cannot be imported: {said(error)}") from None
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise ValueError(f"{module_name} has no factory {attribute!r} that can be called")
    return factory, _digest(module)


def make_codec(name: str, source: Source, n: int | None) -> tuple[Codec, str]:
    """``factory(k, n)``, checked on words of the source, and the digest of its file."""
    factory, digest = load_factory(name)
    k = source.k
    try:
        codec = factory(k, n or k)
    except (Exception, SystemExit) as error:  # a user's factory may raise anything
        raise ValueError(f"{name}({k}, {n or k}) failed: {said(error)}") from None
    if not isinstance(codec, Codec):
        raise ValueError(f"{name} must return a jscc_sim.codecs.Codec, got {type(codec).__name__}")
    _check_size(name, codec, k, n)
    if codec.source_alphabet != source.alphabet:
        means = {"bits": "bits", "real": "real numbers"}
        wrong = f"{name} encodes {means[codec.source_alphabet]}, but {type(source).__name__} draws "
        wrong += f"{means[source.alphabet]}: choose another --source"
        raise ValueError(f'{wrong}, or say source_alphabet = "{source.alphabet}" in its class')
    codec.eval()
    with seeded(0), torch.no_grad():
        _check(name, codec, source.draw(max(2, CHECKED_SYMBOLS // max(codec.k, codec.n) // codec.cost)))
    return codec, digest


def _check_size(name: str, codec: Codec, k: int, n: int | None) -> None:
    """ValueError unless the codec has words of the lengths asked for."""
    sizes = [getattr(codec, size, None) for size in ("k", "n")]  # its author may have forgotten them
    right = all(isinstance(size, int) and size >= 1 for size in sizes)
    if not right or sizes[0] != k or n not in (None, sizes[1]):
        uses = "" if n is None else f", n={n}"
        raise ValueError(f"{name} must return a codec of k={k}{uses}, got one of k={sizes[0]}, n={sizes[1]}")


def _check(name: str, codec: Codec, u: Tensor) -> None:
    """ValueError unless the codec keeps shapes, numbers and power."""
    law = AWGN(1.0) if codec.alphabet == "real" else BSC(0.1)
    try:
        x = _tensor(codec.encode(u))
        u_hat = _tensor(codec.decode(law(x), law))
    except Exception as error:  # a user's codec may raise anything
        raise ValueError(f"the codec of {name} failed on words {tuple(u.shape)}: {said(error)}") from None
    for what, found, right in (("encode", x, (len(u), codec.n)), ("decode", u_hat, (len(u), codec.k))):
        if found.is_complex():
            raise ValueError(f"{what} of {name} returned complex numbers: a complex symbol is two real ones")
        if tuple(found.shape) != right:
            raise ValueError(f"{what} of {name} returned shape {tuple(found.shape)}, but {right} is right")
        if not found.is_floating_point():
            raise ValueError(
                f"{what} of {name} returned {found.dtype}: return floating-point numbers, bits as 0.0, 1.0"
            )
        if not found.isfinite().all():
            raise ValueError(f"{what} of {name} returned numbers that are not finite")
    if codec.alphabet == "antipodal" and not (x.abs() == 1).all():
        raise ValueError(f"encode of {name} must return antipodal symbols, but some are neither +1 nor -1")
    if codec.source_alphabet == "bits" and not ((u_hat == 0) | (u_hat == 1)).all():
        raise ValueError(f"decode of {name} must return bits, but some are neither 0 nor 1: decide soft values first")
    powers = x.double().square().mean(-1)
    power, spread = float(powers.mean()), float(powers.std()) / len(powers) ** 0.5
    if power > 1 + ALLOWANCE + 5 * spread:
        raise ValueError(
            f"encode of {name} sends power {power:.4g} per symbol, over its budget of 1: divide by its root"
        )


def _tensor(found: object) -> Tensor:
    if not isinstance(found, Tensor):
        raise TypeError(f"a tensor is needed, not {type(found).__name__}")
    return found


def _digest(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)  # built-in modules have none
    return hashlib.blake2b(Path(file).read_bytes() if file else b"", digest_size=8).hexdigest()


def said(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
