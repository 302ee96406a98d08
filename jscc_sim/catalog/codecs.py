"""Codecs by name, what each makes of a source, a law and ``n`` uses, and what suits it."""

from collections.abc import Callable
from typing import NamedTuple

from channels import Channel, MemorylessChannel, decibels
from jscc_sim.codecs import (
    BCH_15_7,
    CONSTELLATIONS,
    HAMMING_7_4,
    KLT,
    LDPC,
    BitCodec,
    BlockCode,
    Codec,
    CommPyConvolutional,
    Convolutional,
    Linear,
    Modulated,
    PerSymbolCodec,
    Polar,
    Repetition,
    Turbo,
)
from jscc_sim.codecs.linear import gaussian_law
from jscc_sim.sources import Gaussian, Images, Source, Spectral
from jscc_sim.spelling import known


class Usual(NamedTuple):
    """What suits a codec if nothing else is asked for: ``k``, a source, and the attack, None if it suits its kind."""

    k: int = 1
    source: str = "bits"
    # On a code of few words the best attack is found by search.
    attack: str | None = None


class NamedCodec(NamedTuple):
    """What a codec's name builds and takes; ``says`` where the first line of its class does not say what it is."""

    kind: type[Codec]
    build: Callable[[Source, MemorylessChannel, int | None], Codec]
    usual: Usual = Usual()
    takes: str = ""
    says: str = ""


# In place of a codec or a policy: that of the pair which was trained for the point at hand.
LEARNED = "learned"


def _pairless(source: Source, law: MemorylessChannel, n: int | None) -> Codec:
    raise ValueError("a learned codec knows the jammer it learned against: use --channel jammer and --snr, and no --n")


CODEC_NAMES: dict[str, NamedCodec] = {
    "bch": NamedCodec(
        BlockCode,
        lambda source, law, n: BlockCode(BCH_15_7),
        Usual(k=7, attack="exhaustive"),
        says="The BCH(15,7) code, decoded by maximum likelihood.",
    ),
    "commpy-convolutional": NamedCodec(
        CommPyConvolutional, lambda source, law, n: CommPyConvolutional(source.k), Usual(k=64)
    ),
    "convolutional": NamedCodec(Convolutional, lambda source, law, n: Convolutional(source.k), Usual(k=64)),
    "hamming": NamedCodec(
        BlockCode,
        lambda source, law, n: BlockCode(HAMMING_7_4),
        Usual(k=4, attack="exhaustive"),
        says="The Hamming(7,4) code, decoded by maximum likelihood.",
    ),
    "klt": NamedCodec(
        KLT,
        lambda source, law, n: KLT(_spectral(source), gaussian_law(law).noise_power, n),
        Usual(source="images"),
        takes="--n",
    ),
    "ldpc": NamedCodec(LDPC, lambda source, law, n: LDPC(source.k, n or 2 * source.k), Usual(k=512), takes="--k --n"),
    LEARNED: NamedCodec(
        PerSymbolCodec,
        _pairless,
        Usual(source="gaussian"),
        takes="--channel jammer",
        says="The codec of the pair that learned the jamming game at each point: tail-safe, shared by all symbols.",
    ),
    "linear": NamedCodec(
        Linear, lambda source, law, n: Linear(_white(source).k, n), Usual(source="gaussian"), takes="--n"
    ),
    "polar": NamedCodec(
        Polar, lambda source, law, n: Polar(source.k, n or 2 * source.k), Usual(k=128), takes="--k --n"
    ),
    "repetition": NamedCodec(
        Repetition,
        lambda source, law, n: Repetition(source.k, _times(source.k, n or 3 * source.k)),
        takes="--n, or repetition-TIMES",
    ),
    "turbo": NamedCodec(Turbo, lambda source, law, n: Turbo(source.k), Usual(k=256)),
    "uncoded": NamedCodec(Repetition, lambda source, law, n: Repetition(source.k, 1), says="Each bit sent once as ±1."),
}


def usual(name: str, modulation: str | None = None) -> Usual:
    """What suits a codec, be it a name, ``repetition-TIMES``, a file or a factory; single bits fill one point."""
    suits = CODEC_NAMES[name].usual if name in CODEC_NAMES else Usual()
    return suits._replace(k=CONSTELLATIONS.get(modulation or "", 1)) if suits.k == 1 else suits


def build_codec(name: str, source: Source, law: MemorylessChannel, n: int | None) -> Codec:
    """The codec of that name, with words of ``n`` uses if that is asked for and it can."""
    plain, _, times = name.rpartition("-")
    if plain == "repetition" and times.isdecimal():
        name, n = plain, n or source.k * int(times)
        if n != source.k * int(times):
            wrong = f"codec 'repetition-{times}' sends words of k={source.k} in n={source.k * int(times)} uses"
            raise ValueError(f"{wrong}, not --n {n}: leave --n out, or use --codec repetition")
    known("codec", name, CODEC_NAMES)
    return CODEC_NAMES[name].build(source, law, n)


def modulated(name: str, codec: Codec, modulation: str | None) -> Codec:
    """The codec itself, or its bits on the points of a constellation."""
    if modulation is None:
        return codec
    if not isinstance(codec, BitCodec):
        raise ValueError(
            f"--modulation is for codes such as uncoded or ldpc, but not for {name!r}: leave --modulation out"
        )
    if modulation == "bpsk":
        raise ValueError("bits are sent as ±1, which is BPSK, unless --modulation says otherwise: leave it out")
    known("modulation", modulation, CONSTELLATIONS)
    if wrong := codec.n % CONSTELLATIONS[modulation]:
        fill = f"codec {name!r} sends words of {codec.n} bits, which do not fill points of {modulation}"
        takes_no_n = name in CODEC_NAMES and "--n" not in CODEC_NAMES[name].takes
        remedy = "--k or --codec" if takes_no_n else "--k or --n"
        raise ValueError(f"{fill} ({CONSTELLATIONS[modulation]} bits each, {wrong} left over): use another {remedy}")
    return Modulated(codec, modulation)


def symbols(n: int | None, modulation: str | None) -> int | None:
    """Of a code, whose points fill ``n`` real uses, two each."""
    if n is None or modulation not in CONSTELLATIONS:
        return n
    if n % 2:
        raise ValueError(f"a point of {modulation} takes two uses: --n must be even, got {n}")
    return n // 2 * CONSTELLATIONS[modulation]


def snr_over_ebn0_db(name: str, codec: Codec, channel: Channel) -> float:
    """``10 log10(2R)``, ``R`` bits per real use, pilots included: what to add to Eb/N0."""
    if codec.source_alphabet != "bits":
        raise ValueError(f"--ebn0 is for codecs of bits, which {name!r} is not: use --snr")
    return decibels(2 * codec.k / channel.uses(codec.n))


def _times(k: int, n: int) -> int:
    if n % k:
        raise ValueError(f"repetition sends each of k={k} bits equally often: --n must be a multiple of {k}, got {n}")
    return n // k


def _white(source: Source) -> Source:
    if isinstance(source, Images) or (isinstance(source, Gaussian) and not source.is_white):
        raise ValueError("codec 'linear' is made for a white source of unit variance: for images use klt")
    return source


def _spectral(source: Source) -> Spectral:
    if not isinstance(source, Spectral):
        raise ValueError("codec 'klt' is made for images and Gaussian sources: use --source images or gaussian:0.9")
    return source
