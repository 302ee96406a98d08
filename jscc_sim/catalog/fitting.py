"""Whether the parts that a request names fit, said in its own words: options, names and values, not classes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from channels import (
    Channel,
    MemorylessChannel,
    NeuralPolicy,
    NeuralSourcePolicy,
    NeuralTapPolicy,
    SourceAwarePolicy,
    jammer_in,
    stages,
)
from jscc_sim.catalog.codecs import build_codec, modulated, symbols
from jscc_sim.catalog.players import is_file
from jscc_sim.catalog.request import Request
from jscc_sim.catalog.sources import build_source
from jscc_sim.codecs import BinaryCodec, Codec, DeepJSCC
from jscc_sim.factory import is_factory, make_codec
from jscc_sim.sources import Images, Source

# Nets of these policies have as many outputs as the words that they were trained on have symbols.
OF_ONE_LENGTH = NeuralPolicy | NeuralSourcePolicy | NeuralTapPolicy
SYMBOLS = {"bits": "bits", "real": "real symbols"}
USUAL_SOURCE = {"bits": "bits", "real": "gaussian"}


def refuse_misfits(asked: Request, name: str, source: Source, codec: Codec, channel: Channel) -> None:
    """ValueError with the options to blame and what would do, unless codec ``name`` suits source, channel and policy.

    What remains to be refused by a Link is then a part that was made in Python.
    """
    _check_alphabets(asked, name, source, codec, channel)
    _check_lengths(asked, name, source, codec)
    _check_shapes(asked, name, source, codec)
    _check_erasures(name, codec, channel)
    _check_policy(asked, name, source, codec, channel)


def _check_alphabets(asked: Request, name: str, source: Source, codec: Codec, channel: Channel) -> None:
    takes = codec.source_alphabet
    if source.alphabet != takes:
        wrong = f"codec {name!r} encodes {SYMBOLS[takes]}, but source {asked.source!r} draws {SYMBOLS[source.alphabet]}"
        raise ValueError(f"{wrong}: use --source {USUAL_SOURCE[takes]}, or another --codec")
    if channel.alphabet == "antipodal" and codec.alphabet != "antipodal":
        wrong = f"channel {asked.channel!r} carries antipodal symbols, but codec {name!r} sends real ones"
        remedy = (
            "leave --modulation out" if asked.modulation else "use a codec of bits, such as uncoded or repetition-3"
        )
        raise ValueError(f"{wrong}: {remedy}")


def _check_lengths(asked: Request, name: str, source: Source, codec: Codec) -> None:
    if source.k != codec.k:  # which happens to a codec of one length: only the source may follow --k
        drawn = f"but source {asked.source!r} has words of k={source.k}" if asked.k is None else f"not --k {asked.k}"
        raise ValueError(f"codec {name!r} encodes words of k={codec.k}, {drawn}: {_drawing(asked, codec.k)}")
    if asked.n not in (None, codec.n):
        wrong = f"codec {name!r} sends words of k={codec.k} in n={codec.n} uses, not --n {asked.n}"
        raise ValueError(f"{wrong}: leave --n out")


def _check_shapes(asked: Request, name: str, source: Source, codec: Codec) -> None:
    if isinstance(codec, BinaryCodec | DeepJSCC) and isinstance(source, Images):
        colours, height, width = codec.shape
        takes = (height, width) if colours == 1 else (height, width, colours)
        if takes != source.shape:  # as many values, for _check_lengths let them pass
            wrong = f"codec {name!r} is for images of {_by(takes)}, but source {asked.source!r} has {_by(source.shape)}"
            raise ValueError(f"{wrong}: use another --source or --codec")


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _check_erasures(name: str, codec: Codec, channel: Channel) -> None:
    erases = getattr(channel.nominal, "erase", 0.0) > 0 or getattr(stages(channel)[0], "erasures", 0) > 0
    if erases and isinstance(codec, BinaryCodec) and not codec.erasures:
        raise ValueError(f"codec {name!r} never met an erasure: train it over a channel that erases, such as bec")


def _drawing(asked: Request, k: int) -> str:
    """What makes the source draw words of k symbols."""
    try:
        build_source(asked.source or "", k, k)
    except ValueError:
        return "use another --source or --codec"
    return f"use --k {k}"


def _check_policy(asked: Request, name: str, source: Source, codec: Codec, channel: Channel) -> None:
    jammer = jammer_in(channel)
    policy = jammer.policy if jammer else None
    parts = _Parts(asked, name, source, codec, channel.nominal)
    if isinstance(policy, SourceAwarePolicy) and codec.k != codec.n:
        needs = f"policy {asked.policy!r} sends the source word turned round, which takes k = n"
        remedy = parts.remedy([(asked.k, None), (asked.k, codec.k)], lambda found: found.k == found.n)
        instead = f"use a codec of k = n, such as {'uncoded' if parts.bits else 'linear'}"
        raise ValueError(f"{needs}, got k={codec.k}, n={codec.n} of codec {name!r}: {remedy or instead}")
    if isinstance(policy, OF_ONE_LENGTH):
        parts.refuse_unless(policy.n, policy.k if isinstance(policy, NeuralSourcePolicy) else None)


class _Parts(NamedTuple):
    """What was asked for and what it gave, to try what other lengths would give."""

    asked: Request
    name: str
    source: Source
    codec: Codec
    law: MemorylessChannel

    @property
    def bits(self) -> bool:
        """Whether the words are of bits."""
        return self.source.alphabet == "bits"

    def refuse_unless(self, n: int, k: int | None) -> None:
        """ValueError unless the codec sends n symbols, and for k that are not None: what the policy was trained for."""
        asked, codec = self.asked, self.codec
        if codec.n == n and k in (None, codec.k):
            return
        trained, sends = f"n={n}" + (f", k={k}" if k else ""), f"n={codec.n}" + (f", k={codec.k}" if k else "")
        wrong = f"policy {asked.policy!r} was trained for words of {trained}, but codec {self.name!r} sends {sends}"
        tried = [(k or n, None), (max(1, n * codec.k // codec.n), None), (asked.k, n), (k or n, n)]
        first = [] if asked.n is None else [(asked.k, None), (asked.k, n)]
        remedy = self.remedy([*first, *tried], lambda found: found.n == n and k in (None, found.k))
        raise ValueError(f"{wrong}: {remedy or f'use a codec of {trained}, or another --policy'}")

    def remedy(self, tried: Sequence[tuple[int | None, int | None]], fits: Callable[[Codec], bool]) -> str | None:
        """As advice, the first --k and --n to give a codec that fits; None if none does."""
        for k, n in tried:
            found = self._built(k, n)
            if found is not None and fits(found):
                changes = (("--k", self.asked.k, k), ("--n", self.asked.n, n))
                return " and ".join(_advice(option, now) for option, before, now in changes if now != before)
        return None

    def _built(self, k: int | None, n: int | None) -> Codec | None:
        """The codec at these lengths; None if source or codec refuses them, as one that was trained does.

        Bits never fit into fewer uses, and some codecs find out late.
        """
        if is_file(self.name) or (self.bits and n is not None and n < (k or self.source.k)):
            return None
        try:
            source = build_source(self.asked.source or "", k, self.source.k)
            if is_factory(self.name):
                return make_codec(self.name, source, n)[0]
            coded = build_codec(self.name, source, self.law, symbols(n, self.asked.modulation))
            found = modulated(self.name, coded, self.asked.modulation)
        except ValueError:
            return None
        return found if found.k == source.k and n in (None, found.n) else None


def _advice(option: str, value: int | None) -> str:
    return f"leave {option} out" if value is None else f"use {option} {value}"
