"""A case: a link with the labels that name it, and the key under which its results are kept."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from jscc_sim.link import Link

SYMBOLS_PER_BLOCK = 2**17
# With fewer words to a block, a slow adversary would spend its time on overhead.
FEWEST_ATTACKED = 32
PLAIN = (bool, int, float, str, bytes, tuple, type(None))
Label = str | int | float | bool | None


@dataclass(frozen=True, eq=False)
class Case:
    """A link, the labels that name it, and the exact mean of its scores (by metric) or bounds on it, where known.

    ``bounds`` are from below, ``ceilings`` from above. ``margin`` is the relative deviation from the exact value that
    still counts as agreement: zero for identities.
    ``origin`` is a digest of whatever else decides a result, such as the file that a codec comes from.
    """

    link: Link
    labels: Mapping[str, Label] = field(default_factory=dict)
    exact: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    ceilings: Mapping[str, float] = field(default_factory=dict)
    margin: float = 0.0
    origin: str = ""

    @property
    def words_per_block(self) -> int:
        """Fixed by the case alone, so that results depend on nothing else."""
        codec, channel = self.link.codec, self.link.channel
        words = max(1, SYMBOLS_PER_BLOCK // (codec.cost * max(codec.k, codec.n)))
        return min(words, max(FEWEST_ATTACKED, words // channel.cost(codec.n)))

    @cached_property
    def key(self) -> str:
        """A digest of everything a result depends on but the seed: reprs, parameters, buffers, the block's size."""
        described = without_address(f"{self.link!r} {self.words_per_block}{self.origin}")
        digest = hashlib.blake2b(described.encode(), digest_size=12)
        for part in (self.link.source, self.link.codec, self.link.channel):
            modules = part.named_modules() if isinstance(part, nn.Module) else [("", part)]
            for path, module in modules:
                for line in _contents(path, module):
                    digest.update(line)
        return digest.hexdigest()

    def record(self, seed: int) -> dict[str, object]:
        """What a store says of the case."""
        return {
            "seed": seed,
            "labels": dict(self.labels),
            "link": repr(self.link),
            "words_per_block": self.words_per_block,
            "exact": dict(self.exact),
            "bounds": dict(self.bounds),
            "ceilings": dict(self.ceilings),
        }


def without_address(described: str) -> str:
    """A repr itself, or a ValueError if it shows an address, which is another one in the next run."""
    if address := re.search(r"<?[\w.]+ (object )?at 0x[0-9a-f]+", described):
        raise ValueError(f"{address[0]} tells nothing: give the class a __repr__ that shows its parameters")
    return described


def _contents(path: str, part: object) -> Iterator[bytes]:
    """What decides a part's results beside its repr: its class, its plain attributes and its tensors.

    Left out is what the part says is ``derived`` from the rest: its last bits may depend on the number of BLAS threads.
    """
    fields = dict(vars(part))
    for kind in ("_parameters", "_buffers"):
        fields |= fields.pop(kind, {})
    yield f"{path} {type(part).__module__}.{type(part).__qualname__}".encode()
    for name, value in sorted(fields.items()):
        if name in getattr(part, "derived", ()):
            continue
        if isinstance(value, Tensor):
            yield f"{name} {value.dtype} {tuple(value.shape)}".encode()
            yield value.detach().cpu().to_dense().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        elif isinstance(value, PLAIN) and not name.startswith("_") and name != "training":
            yield f"{name} {value!r}".encode()
