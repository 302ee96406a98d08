"""Names on the command line and what they build: requests become cases."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    BlockFading,
    Channel,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    MemorylessChannel,
    NeuralPolicy,
    Policy,
    PulsedPolicy,
    Rayleigh,
    ReactivePolicy,
    Rician,
    SharedRandomness,
    SharedRotation,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
    UniformPolicy,
    from_decibels,
)
from jscc_sim.checkpoint import SUFFIXES, Record, load_part
from jscc_sim.codecs import (
    BCH_15_7,
    HAMMING_7_4,
    KLT,
    LDPC,
    BlockCode,
    Codec,
    Convolutional,
    Linear,
    NeuralCodec,
    Repetition,
)
from jscc_sim.codecs.linear import gaussian_law
from jscc_sim.exact import exact_values, lower_bounds
from jscc_sim.factory import is_factory, make_codec
from jscc_sim.link import Link
from jscc_sim.metrics import METRICS
from jscc_sim.montecarlo import Case, Label
from jscc_sim.sources import (
    SOURCES,
    Bits,
    Gaussian,
    Images,
    Laplace,
    Source,
    Spectral,
    Uniform,
    exponential_covariance,
)
from jscc_sim.verify import LEARNED_MARGIN

DEFAULT_LEVELS = {"snr_db": tuple(float(level) for level in range(0, 21, 2)), "flip": (0, 0.05, 0.1, 0.15, 0.2)}
DEFAULT_LEVELS["erase"] = DEFAULT_LEVELS["flip"]
# From this SNR on, bits are computed in float64: their errors hide in the tail that float32 noise does not have.
PRECISE_SNR_DB = 11.0

Number = TypeVar("Number", int, float)
Part = TypeVar("Part", NeuralPolicy, NeuralCodec)


@dataclass(frozen=True)
class Request:
    """What a sweep is asked for; None means the default that suits the rest."""

    channel: str
    codecs: tuple[str, ...] = ()
    source: str | None = None
    snr_db: tuple[float, ...] | None = None
    at: tuple[float, ...] | None = None
    policy: str | None = None
    sjr_db: float | None = None
    flips: int | None = None
    erasures: int | None = None
    informed: bool | None = None
    attack: str | None = None
    k_factor: float | None = None
    csi: bool | None = None
    shared: str | None = None
    k: int | None = None
    n: int | None = None


@dataclass(frozen=True)
class Players:
    """The trained parts that a request names by file, with the game that each was trained in."""

    policy: NeuralPolicy | None
    codec: NeuralCodec | None
    records: tuple[Record, ...]

    @property
    def k(self) -> int | None:
        """The word length that the players were trained for."""
        return self.codec.k if self.codec else self.policy.n if self.policy else None


CHANNEL_NAMES: dict[str, Callable[[Request, Policy], Channel]] = {
    "awgn": lambda asked, policy: AWGN(1.0),
    "bec": lambda asked, policy: BEC(0.0),
    "bec-flip": lambda asked, policy: _flipping(BEC(0.0), asked),
    "bsc": lambda asked, policy: BSC(0.0),
    "bsc-flip": lambda asked, policy: _flipping(BSC(0.0), asked),
    "jammer": lambda asked, policy: Jammer(policy, 1.0, from_decibels(-(asked.sjr_db or 0.0))),
    "rayleigh": lambda asked, policy: Rayleigh(1.0, csi=asked.csi is not False),
    "rician": lambda asked, policy: Rician(1.0, _given(asked.k_factor, 1.0), csi=asked.csi is not False),
}
OPTIONS = {
    "policy": "--policy",
    "sjr_db": "--sjr",
    "flips": "--flips",
    "erasures": "--erasures",
    "informed": "--informed/--blind",
    "attack": "--attack",
    "k_factor": "--k-factor",
    "csi": "--csi/--no-csi",
}
FLIPPING = ("--flips", "--erasures", "--informed/--blind", "--attack")
CHANNEL_OPTIONS = {
    "bec-flip": FLIPPING,
    "bsc-flip": FLIPPING,
    "jammer": ("--policy", "--sjr"),
    "rayleigh": ("--csi/--no-csi",),
    "rician": ("--k-factor", "--csi/--no-csi"),
}
# What stands behind a colon in --policy, as in pulsed:0.05.
POLICY_NAMES: dict[str, Callable[..., Policy]] = {
    "gaussian": GaussianPolicy,
    "laplace": LaplacePolicy,
    "pulsed": PulsedPolicy,
    "reactive": ReactivePolicy,
    "source-aware": SourceAwarePolicy,
    "tap": TapPolicy,
    "tone": TonePolicy,
    "two-point": TwoPointPolicy,
    "uniform": UniformPolicy,
}
SHARED_NAMES: dict[str, Callable[[Channel], Channel]] = {"rotation": SharedRotation, "sign": SharedSign}
CODEC_NAMES: dict[str, Callable[[Source, MemorylessChannel, int | None], Codec]] = {
    "bch": lambda source, law, n: BlockCode(BCH_15_7),
    "convolutional": lambda source, law, n: Convolutional(source.k),
    "hamming": lambda source, law, n: BlockCode(HAMMING_7_4),
    "klt": lambda source, law, n: KLT(_spectral(source), gaussian_law(law).noise_power, n),
    "ldpc": lambda source, law, n: LDPC(source.k, n or 2 * source.k),
    "linear": lambda source, law, n: Linear(_white(source).k, n),
    "repetition": lambda source, law, n: Repetition(source.k, _times(source.k, n or 3 * source.k)),
    "uncoded": lambda source, law, n: Repetition(source.k, 1),
}
CODEC_CLASSES: dict[str, type[Codec]] = {
    "bch": BlockCode,
    "convolutional": Convolutional,
    "hamming": BlockCode,
    "klt": KLT,
    "ldpc": LDPC,
    "linear": Linear,
    "repetition": Repetition,
    "uncoded": Repetition,
}
# The best attack on a code of few words is found by search; on bits decoded alone the steepest is the best.
CODEC_ATTACKS = {"bch": "exhaustive", "hamming": "exhaustive"}
CODEC_TAKES = {"klt": "--n", "ldpc": "--k --n", "linear": "--n", "repetition": "--n, or repetition-TIMES"}
CODEC_SAYS = {
    "bch": "The BCH(15,7) code, decoded by maximum likelihood.",
    "hamming": "The Hamming(7,4) code, decoded by maximum likelihood.",
    "uncoded": "Each bit sent once as ±1.",
}
SOURCE_TAKES = {"gaussian": "--k, :CORRELATION or :FILE.npy", "images": ":SET or :FOLDER"}
CODEC_WORDS = {"bch": 7, "convolutional": 64, "hamming": 4, "ldpc": 512}
DEFAULT_CODECS = {"bits": ("uncoded", "repetition-3"), "images": ("klt",)}
SOURCE_NAMES: dict[str, Callable[[str, int | None, int], Source]] = {
    "bits": lambda name, k, usual: Bits(_given(k, usual)),
    "gaussian": lambda name, k, usual: _gaussian(name, k, usual),
    "images": lambda name, k, usual: Images(name),
    "laplace": lambda name, k, usual: Laplace(_given(k, usual)),
    "uniform": lambda name, k, usual: Uniform(_given(k, usual)),
}
COLOURED_WORDS = 16
CURVE_POINTS = 64


def make_cases(asked: Request) -> list[Case]:
    """One case per codec and level. ValueError or FileNotFoundError says what does not fit and what would."""
    known("channel", asked.channel, CHANNEL_NAMES)
    players = _load_players(asked)
    asked = _with_defaults(asked, players)
    return [case for name in asked.codecs for case in _cases(asked, name, players)]


class Entry(NamedTuple):
    """A name, what it takes, and the first line of what it is."""

    kind: str
    name: str
    parameters: str
    says: str


def inventory() -> list[Entry]:
    """Every name that a request may hold."""
    entries = []
    for name, make in CHANNEL_NAMES.items():
        channel = make(Request("awgn"), GaussianPolicy())
        knob = "--snr (dB)" if channel.knob == "snr_db" else f"--at ({channel.knob})"
        entries.append(Entry("channels", name, " ".join((knob, *CHANNEL_OPTIONS.get(name, ()))), _says(channel)))
    for name, policy in POLICY_NAMES.items():
        number = _first_parameter(policy)
        entries.append(Entry("policies", f"{name}:{number.upper()}" if number else name, "", _says(policy)))
    entries += [Entry("shared", name, "", _says(kind)) for name, kind in SHARED_NAMES.items()]
    entries += [
        Entry("codecs", name, CODEC_TAKES.get(name, ""), CODEC_SAYS.get(name) or _says(CODEC_CLASSES[name]))
        for name in CODEC_NAMES
    ]
    entries += [Entry("sources", name, SOURCE_TAKES.get(name, "--k"), _says(kind)) for name, kind in SOURCES.items()]
    entries += [Entry("metrics", metric.name, "", metric.says) for metric in METRICS.values()]
    return entries


def _says(part: object) -> str:
    """The first line of what something is."""
    return (inspect.getdoc(part) or "").partition("\n")[0].replace("`", "")


def _first_parameter(policy: Callable[..., Policy]) -> str:
    """The name of what stands behind a policy's colon, if anything does."""
    constructor = inspect.getattr_static(policy, "__init__")
    return next(iter(list(inspect.signature(constructor).parameters)[1:]), "") if "__init__" in vars(policy) else ""


def known(kind: str, name: str, names: Iterable[str]) -> None:
    """ValueError with the nearest suggestion unless ``name`` is one of ``names``."""
    if name not in names:
        near = difflib.get_close_matches(name, list(names), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names))}"
        raise ValueError(f"no {kind} {name!r}: {hint}")


def exact_curves(asked: Request, start: float, stop: float) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Points (level, exact mean) between two levels, closely spaced, by codec and metric, where theory has them."""
    levels = tuple(start + (stop - start) * step / CURVE_POINTS for step in range(CURVE_POINTS + 1))
    asked = _with_defaults(replace(asked, snr_db=None, at=levels), players := _load_players(asked))
    curves: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for name in asked.codecs:
        for level, link, _ in _links(asked, name, players):
            for metric, mean in _exact(link, players).items():
                curves.setdefault((name, metric), []).append((level, METRICS[metric].shown(mean)))
    return curves


def _cases(asked: Request, name: str, players: Players) -> Iterable[Case]:
    """The cases of one codec."""
    for level, link, origin in _links(asked, name, players):
        learned = _has_learned(link)
        yield Case(
            link.eval(),
            labels=_labels(asked, name, link.codec, _inside(link.channel), level),
            exact=_exact(link, players),
            bounds={} if learned else lower_bounds(link),
            margin=LEARNED_MARGIN if learned else 0.0,
            origin=origin,
        )


def _links(asked: Request, name: str, players: Players) -> Iterator[tuple[float, Link, str]]:
    """Each level with the link of one codec there, and a digest of the file that the codec comes from."""
    channel = _make_channel(replace(asked, attack=asked.attack or CODEC_ATTACKS.get(name, "steepest")), players)
    levels = _levels_asked(asked, channel.knob) or _trained_levels(players) or DEFAULT_LEVELS[channel.knob]
    source = _make_source(asked, players.k or CODEC_WORDS.get(name, 1))
    own, origin = make_codec(name, source, asked.n) if is_factory(name) else (players.codec, "")
    for level in levels:
        now = channel.at(level)
        codec = own if is_file(name) or is_factory(name) else None
        codec = codec or _make_codec(name, source, now.nominal, asked.n)
        yield level, Link(_precise(source, now, level), codec, now), origin


def _exact(link: Link, players: Players) -> dict[str, float]:
    """Exact values: every jammer law of its power is worth J* to a linear codec, to a learned one where it learned."""
    at_home = all(_plays_at(record, _inside(link.channel)) for record in players.records)
    return exact_values(link) if at_home or not isinstance(link.codec, NeuralCodec) else {}


def _inside(channel: Channel) -> Channel:
    return channel.inside if isinstance(channel, SharedRandomness) else channel


def _has_learned(link: Link) -> bool:
    jammer = _inside(link.channel)
    return isinstance(link.codec, NeuralCodec) or (
        isinstance(jammer, Jammer) and isinstance(jammer.policy, NeuralPolicy)
    )


def _precise(source: Source, channel: Channel, level: float) -> Source:
    """The same source in float64 where errors are rare."""
    rare = isinstance(source, Bits) and channel.knob == "snr_db" and level > PRECISE_SNR_DB
    return Bits(source.k, torch.float64) if rare else source


def _labels(asked: Request, name: str, codec: Codec, channel: Channel, level: float) -> Mapping[str, Label]:
    flipped = channel if isinstance(channel, BitFlip) else None
    return {
        "channel": asked.channel,
        "codec": name,
        "source": asked.source,
        "k": codec.k,
        "n": codec.n,
        "knob": channel.knob,
        "level": level,
        "snr_db": level if channel.knob == "snr_db" else None,
        "sjr_db": (asked.sjr_db or 0.0) if isinstance(channel, Jammer) else None,
        "policy": asked.policy if isinstance(channel, Jammer) else None,
        "flips": flipped.flips if flipped else None,
        "erasures": flipped.erasures if flipped else None,
        "informed": flipped.informed if flipped else None,
        "attack": flipped.attack if flipped else None,
        "k_factor": channel.k_factor if isinstance(channel, Rician) else None,
        "csi": channel.csi if isinstance(channel, BlockFading) else None,
        "shared": asked.shared,
    }


def _with_defaults(asked: Request, players: Players) -> Request:
    """The request with source, codecs, policy and powers filled in, and options refused that have no meaning."""
    _refuse_strangers(asked)
    source = asked.source or _natural_source(asked)
    kind, _, name = source.partition(":")
    known("source", kind, SOURCES)
    usual = ("klt",) if kind == "gaussian" and name else DEFAULT_CODECS.get(kind, ("linear",))
    trained = players.records[0].sjr_db if players.records else 0.0
    return replace(
        asked,
        codecs=asked.codecs or usual,
        source=source,
        policy=asked.policy or ("gaussian" if asked.channel == "jammer" else None),
        sjr_db=trained if asked.sjr_db is None else asked.sjr_db,
    )


def _refuse_strangers(asked: Request) -> None:
    """ValueError that names an option which means nothing to the channel."""
    for field, option in OPTIONS.items():
        if getattr(asked, field) is not None and option not in CHANNEL_OPTIONS.get(asked.channel, ()):
            raise ValueError(f"{option} means nothing to channel {asked.channel!r}")


def _natural_source(asked: Request) -> str:
    names = [name for name in asked.codecs if not is_file(name) and not is_factory(name)]
    if names:
        return {"klt": "images", "linear": "gaussian"}.get(names[0], "bits")
    return "bits" if asked.channel.startswith(("bsc", "bec")) else "gaussian"


def _make_channel(asked: Request, players: Players) -> Channel:
    channel = CHANNEL_NAMES[asked.channel](asked, players.policy or _make_policy(asked.policy or "gaussian"))
    if asked.shared is None:
        return channel
    known("shared randomness", asked.shared, SHARED_NAMES)
    return SHARED_NAMES[asked.shared](channel)


def _make_policy(name: str) -> Policy:
    """``name`` or ``name:number``, the number being the policy's first parameter."""
    kind, colon, number = name.partition(":")
    known("policy", kind, POLICY_NAMES)
    if not colon:
        return POLICY_NAMES[kind]()
    if not _first_parameter(POLICY_NAMES[kind]):
        raise ValueError(f"policy {kind!r} takes no number, got {name!r}")
    return POLICY_NAMES[kind](_number(f"policy {kind!r}", number))


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{what} takes a number after the colon, got {text!r}") from None


def _make_source(asked: Request, k: int) -> Source:
    kind, _, name = (asked.source or "").partition(":")
    if name and kind not in ("images", "gaussian"):
        raise ValueError(f"source {kind!r} takes no name, got {name!r}")
    source = SOURCE_NAMES[kind](name, asked.k, k)
    if asked.k not in (None, source.k):
        raise ValueError(f"source {asked.source!r} has words of k = {source.k} symbols, not {asked.k}")
    return source


def _gaussian(name: str, k: int | None, usual: int) -> Source:
    """White, of correlated neighbours (``gaussian:0.9``), or of the covariance in a file (``gaussian:FILE.npy``)."""
    if not name:
        return Gaussian(_given(k, usual))
    if name.endswith(".npy"):
        try:
            return Gaussian(covariance=np.load(name, allow_pickle=False))
        except (EOFError, ValueError) as error:
            raise ValueError(f"{name} holds no covariance: {error}") from None
    neighbours = _number("source 'gaussian'", name)
    return Gaussian(covariance=exponential_covariance(_given(k, COLOURED_WORDS), neighbours))


def _make_codec(name: str, source: Source, law: MemorylessChannel, n: int | None) -> Codec:
    plain, _, times = name.rpartition("-")
    if plain == "repetition" and times.isdecimal():
        name, n = plain, n or source.k * int(times)
        if n != source.k * int(times):
            raise ValueError(f"repetition-{times} sends {source.k} bits in {source.k * int(times)} uses, not n={n}")
    known("codec", name, CODEC_NAMES)
    codec = CODEC_NAMES[name](source, law, n)
    if n not in (None, codec.n):
        raise ValueError(f"codec {name!r} sends words of k={codec.k} in n={codec.n} uses, not n={n}")
    return codec


def _times(k: int, n: int) -> int:
    if n % k:
        raise ValueError(f"repetition sends each of k={k} bits equally often: n must be a multiple of {k}, got {n}")
    return n // k


def _white(source: Source) -> Source:
    if isinstance(source, Images) or (isinstance(source, Gaussian) and source.covariance is not None):
        raise ValueError("codec 'linear' is made for a white source of unit variance: for images use klt")
    return source


def _spectral(source: Source) -> Spectral:
    if not isinstance(source, Spectral):
        raise ValueError("codec 'klt' is made for images and Gaussian sources: use --source images or gaussian:0.9")
    return source


def _flipping(nature: MemorylessChannel, asked: Request) -> BitFlip:
    return BitFlip(
        nature,
        _given(asked.flips, 1),
        erasures=_given(asked.erasures, 0),
        informed=asked.informed is not False,
        attack=asked.attack or "steepest",
    )


def _given(value: Number | None, otherwise: Number) -> Number:
    return otherwise if value is None else value


def is_file(name: str) -> bool:
    """Whether a policy or codec is given as a file or folder rather than by its name, which takes precedence."""
    named = name in CODEC_NAMES or name.partition(":")[0] in POLICY_NAMES or is_factory(name)
    return not named and (name.endswith(SUFFIXES) or "/" in name or Path(name).exists())


def _load_players(asked: Request) -> Players:
    """Both trained parts, built from their checkpoints."""
    records, policy, codec = [], None, None
    if asked.policy is not None and asked.channel == "jammer" and is_file(asked.policy):
        policy, record = load_policy(Path(asked.policy))
        records.append(record)
    files = [name for name in asked.codecs if is_file(name)]
    if files and len(asked.codecs) > 1:
        raise ValueError(f"a trained codec is swept alone, but {len(asked.codecs)} codecs are named")
    if files:
        codec, record = load_codec(Path(files[0]))
        records.append(record)
    return Players(policy, codec, tuple(records))


def load_policy(path: Path) -> tuple[NeuralPolicy, Record]:
    """The trained policy saved at ``path``."""
    record, tensors = load_part(path, "policy")
    return _build(NeuralPolicy, record, tensors, path), record


def load_codec(path: Path) -> tuple[NeuralCodec, Record]:
    """The trained codec saved at ``path``."""
    record, tensors = load_part(path, "codec")
    return _build(NeuralCodec, record, tensors, path), record


def load_pair(folder: Path) -> tuple[Jammer, NeuralCodec]:
    """The jammer, at its powers, and the codec that ``jscc-sim play --out`` saved into ``folder``."""
    policy, record = load_policy(folder)
    return Jammer(policy, from_decibels(-record.snr_db), from_decibels(-record.sjr_db)), load_codec(folder)[0]


def _build(kind: type[Part], record: Record, tensors: dict[str, Tensor], path: Path) -> Part:
    try:
        part = kind(**record.arguments)
        part.load_state_dict(tensors)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"{path} does not hold the weights it describes: {str(error).splitlines()[0]}") from None
    return part.eval()


def _levels_asked(asked: Request, knob: str) -> tuple[float, ...] | None:
    if asked.snr_db is not None and asked.at is not None:
        raise ValueError("--snr and --at are the same grid: give one of them")
    if asked.snr_db is not None and knob != "snr_db":
        raise ValueError(f"--snr means nothing to channel {asked.channel!r}, whose knob is {knob!r}: use --at")
    return asked.snr_db if asked.at is None else asked.at


def _trained_levels(players: Players) -> tuple[float, ...]:
    return tuple(sorted({record.snr_db for record in players.records}))


def _plays_at(record: Record, channel: Channel) -> bool:
    """Whether the powers are those that the part was trained for."""
    if not isinstance(channel, Jammer):
        return False
    noise, jam = from_decibels(-record.snr_db), from_decibels(-record.sjr_db)
    return abs(channel.noise_power / noise - 1) < 1e-9 and abs(channel.jam_power / jam - 1) < 1e-9
