"""Names on the command line and what they build; the exact value of a link, where there is one."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    Channel,
    GaussianPolicy,
    Jammer,
    MemorylessChannel,
    NeuralPolicy,
    Policy,
    TwoPointPolicy,
    from_decibels,
)
from jscc_sim.checkpoint import SUFFIXES, Record, load_part
from jscc_sim.codecs import KLT, LDPC, Codec, Convolutional, Linear, NeuralCodec, Repetition
from jscc_sim.codecs.linear import noise_power_of
from jscc_sim.link import Link
from jscc_sim.montecarlo import Case, Label
from jscc_sim.sources import SOURCES, Bits, Gaussian, Images, Source
from jscc_sim.theory.coding import block_error, bpsk_error, repetition_error, uncoded_error
from jscc_sim.theory.saddle import coloured_payoff, scalar_payoff
from jscc_sim.verify import LEARNED_MARGIN

DEFAULT_LEVELS = {"snr_db": tuple(float(level) for level in range(0, 21, 2)), "flip": (0, 0.05, 0.1, 0.15, 0.2)}
DEFAULT_LEVELS["erase"] = DEFAULT_LEVELS["flip"]


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
    informed: bool | None = None
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
}
POLICY_NAMES: dict[str, type[Policy]] = {"gaussian": GaussianPolicy, "two-point": TwoPointPolicy}
CODEC_NAMES: dict[str, Callable[[Source, MemorylessChannel, int | None], Codec]] = {
    "convolutional": lambda source, law, n: Convolutional(source.k),
    "klt": lambda source, law, n: KLT(_images(source), noise_power_of(law), n),
    "ldpc": lambda source, law, n: LDPC(source.k, n or 2 * source.k),
    "linear": lambda source, law, n: Linear(_white(source).k),
    "repetition": lambda source, law, n: Repetition(source.k, _times(source.k, n or 3 * source.k)),
    "uncoded": lambda source, law, n: Repetition(source.k, 1),
}
CODEC_SOURCES = {"klt": "images", "linear": "gaussian"}
CODEC_WORDS = {"convolutional": 64, "ldpc": 512}
DEFAULT_CODECS = {"gaussian": ("linear",), "images": ("klt",), "bits": ("uncoded", "repetition-3")}


def make_cases(asked: Request) -> list[Case]:
    """One case per codec and level. ValueError or FileNotFoundError says what does not fit and what would."""
    known("channel", asked.channel, CHANNEL_NAMES)
    players = _load_players(asked)
    asked = _with_defaults(asked, players)
    policy = players.policy or POLICY_NAMES[asked.policy or "gaussian"]()
    channel = CHANNEL_NAMES[asked.channel](asked, policy)
    levels = _levels_asked(asked, channel.knob) or _trained_levels(players) or DEFAULT_LEVELS[channel.knob]
    return [case for name in asked.codecs for case in _cases(asked, name, channel, levels, players)]


def known(kind: str, name: str, names: Iterable[str]) -> None:
    """ValueError with the nearest suggestion unless ``name`` is one of ``names``."""
    if name not in names:
        near = difflib.get_close_matches(name, list(names), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names))}"
        raise ValueError(f"no {kind} {name!r}: {hint}")


def _cases(asked: Request, name: str, channel: Channel, levels: Sequence[float], players: Players) -> Iterable[Case]:
    source = _make_source(asked, players.k or CODEC_WORDS.get(name, 1))
    for level in levels:
        now = channel.at(level)
        codec = players.codec if is_file(name) and players.codec else _make_codec(name, source, now.nominal, asked.n)
        link = Link(source, codec, now).eval()
        learned = isinstance(codec, NeuralCodec) or (isinstance(now, Jammer) and isinstance(now.policy, NeuralPolicy))
        # Every jammer law of its power is worth J* against the linear codec, but a learned codec only where it learned.
        at_home = not isinstance(codec, NeuralCodec) or all(_plays_at(record, now) for record in players.records)
        yield Case(
            link,
            labels=_labels(asked, name, codec, now, level),
            exact=exact_values(link) if not learned or at_home else {},
            margin=LEARNED_MARGIN if learned else 0.0,
        )


def _labels(asked: Request, name: str, codec: Codec, channel: Channel, level: float) -> Mapping[str, Label]:
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
        "flips": channel.flips if isinstance(channel, BitFlip) else None,
        "informed": channel.informed if isinstance(channel, BitFlip) else None,
    }


def _with_defaults(asked: Request, players: Players) -> Request:
    """The request with source, codecs, policy and powers filled in, and options refused that have no meaning."""
    jammed, flipped = asked.channel == "jammer", asked.channel.endswith("-flip")
    for option, value, fits in (
        ("--sjr", asked.sjr_db, jammed),
        ("--policy", asked.policy, jammed),
        ("--flips", asked.flips, flipped),
        ("--informed/--blind", asked.informed, flipped),
    ):
        if value is not None and not fits:
            raise ValueError(f"{option} means nothing to channel {asked.channel!r}")
    source = asked.source or _natural_source(asked)
    known("source", source.partition(":")[0], SOURCES)
    trained = players.records[0].sjr_db if players.records else 0.0
    return Request(
        channel=asked.channel,
        codecs=asked.codecs or DEFAULT_CODECS[source.partition(":")[0]],
        source=source,
        snr_db=asked.snr_db,
        at=asked.at,
        policy=asked.policy or ("gaussian" if jammed else None),
        sjr_db=trained if asked.sjr_db is None else asked.sjr_db,
        flips=asked.flips,
        informed=asked.informed,
        k=asked.k,
        n=asked.n,
    )


def _natural_source(asked: Request) -> str:
    if asked.codecs:
        name = asked.codecs[0]
        return "gaussian" if is_file(name) else CODEC_SOURCES.get(name, "bits")
    return "gaussian" if asked.channel in ("awgn", "jammer") else "bits"


def _make_source(asked: Request, k: int) -> Source:
    kind, _, name = (asked.source or "").partition(":")
    if kind == "images":
        images = Images(name)
        if asked.k not in (None, images.k):
            raise ValueError(f"these images have k = {images.k} pixels, not {asked.k}")
        return images
    if name:
        raise ValueError(f"source {kind!r} takes no name, got {name!r}")
    make = {"gaussian": Gaussian, "bits": Bits}[kind]
    return make(k if asked.k is None else asked.k)


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
    if isinstance(source, Images):
        raise ValueError("codec 'linear' is made for a white source of unit variance: for images use klt")
    return source


def _images(source: Source) -> Images:
    if not isinstance(source, Images):
        raise ValueError("codec 'klt' is made for images: use --source images")
    return source


def _flipping(nature: MemorylessChannel, asked: Request) -> BitFlip:
    flips = 1 if asked.flips is None else asked.flips
    return BitFlip(nature, flips, asked.informed is not False)


def is_file(name: str) -> bool:
    """Whether a policy or codec is given as a file or folder rather than by its name, which takes precedence."""
    named = name in CODEC_NAMES or name in POLICY_NAMES
    return not named and (name.endswith(SUFFIXES) or "/" in name or Path(name).exists())


def _load_players(asked: Request) -> Players:
    """Both trained parts, built from their checkpoints."""
    records, policy, codec = [], None, None
    if asked.policy is not None and asked.channel == "jammer":
        if is_file(asked.policy):
            policy, record = load_policy(Path(asked.policy))
            records.append(record)
        else:
            known("policy", asked.policy, POLICY_NAMES)
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


def exact_values(link: Link) -> dict[str, float]:
    """The exact mean of each score of a link; empty where none is known."""
    codec, channel = link.codec, link.channel
    if isinstance(codec, Repetition):
        return _exact_errors(codec, channel)
    if isinstance(channel, Jammer | AWGN):
        jam_power = channel.jam_power if isinstance(channel, Jammer) else 0.0
        if isinstance(codec, KLT) and isinstance(link.source, Images):
            return _exact_images(codec, link.source, channel.noise_power, jam_power)
        learned = isinstance(codec, NeuralCodec) and codec.k == codec.n
        if isinstance(link.source, Gaussian) and (isinstance(codec, Linear) or learned):
            return {"mse": float(scalar_payoff(1.0, 1.0, jam_power, channel.noise_power))}
    return {}


def _exact_images(codec: KLT, source: Images, noise_power: float, jam_power: float) -> dict[str, float]:
    variances = source.karhunen_loeve[0]
    sent = coloured_payoff(variances[: codec.n], [noise_power] * codec.n, float(codec.n), codec.n * jam_power)
    mse = (sent + float(variances[codec.n :].sum())) / codec.k
    return {"mse": mse, "psnr": mse}


def _exact_errors(codec: Repetition, channel: Channel) -> dict[str, float]:
    """Error rates of uncoded and repeated bits; a budget shared by several repeated bits has no formula here."""
    if isinstance(channel, AWGN) or (isinstance(channel, Jammer) and isinstance(channel.policy, GaussianPolicy)):
        error = float(bpsk_error(codec.times / noise_power_of(channel.nominal)))
        return {"ber": error, "bler": block_error(error, codec.k)}
    nature, flips, informed = channel, 0, True
    if isinstance(channel, BitFlip):
        nature, flips, informed = channel.behind, channel.flips, channel.informed
    if not isinstance(nature, BSC | BEC):
        return {}
    flip = nature.flip if isinstance(nature, BSC) else 0.0
    erase = nature.erase if isinstance(nature, BEC) else 0.0
    if flip == 0.5:
        flips = 0  # a receiver that expects flip ½ does not listen
    if flips and ((flip > 0.5 and not informed) or (codec.k > 1 and codec.times > 1)):
        return {}
    flip = min(flip, 1 - flip)  # the receiver knows, and turns every symbol round
    if codec.times == 1:
        error = uncoded_error(codec.k, flip=flip, erase=erase, flips=flips, informed=informed)
    else:
        error = repetition_error(codec.times, flip=flip, erase=erase, flips=flips, informed=informed)
    return {"ber": error} | ({} if flips else {"bler": block_error(error, codec.k)})
