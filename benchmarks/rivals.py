"""What DeepJSCC is held against: files over LDPC codes and QAM, the same files at capacity, and linear codecs.

All have the same complex uses. Files and their symbols have power one; linear codecs have it on average over the images
that they learned from, and their rows say what it is over test images.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from record import parts_of
from torch import Tensor

from channels import (
    AWGN,
    Channel,
    GaussianPolicy,
    Jammer,
    Policy,
    PulsedPolicy,
    Rayleigh,
    SharedRotation,
    TonePolicy,
    TwoPointPolicy,
    decibels,
    from_decibels,
)
from jscc_sim.attack import attack
from jscc_sim.codec_training import flat
from jscc_sim.codecs import KLT, Codec
from jscc_sim.deepjscc import send
from jscc_sim.players import load_policy
from jscc_sim.separation import (
    FORMATS,
    Coded,
    Loss,
    Losses,
    Mode,
    OverFading,
    OverNoise,
    coded,
    designed,
    ideal,
    in_outage,
    practical,
)
from jscc_sim.sources import Images
from jscc_sim.spelling import bandwidth_ratio
from jscc_sim.store import Store

# Training images whose covariance linear codecs know; and those by which they choose, over fading, for what noise.
LEARNED, CHOOSING, NOISIER = 20_000, 2_000, (1.0, 1.5, 2.0, 3.0, 4.0)
# Separate designs that stay as they are, and where each is looked at closely.
DESIGNS, CLIFF = (1.0, 7.0, 13.0), (-2.0, -1.5, -1.0, -0.5, -0.25, 0.0, 0.5)
FILES, SEPARATE = "best of JPEG, JPEG 2000, WebP", "the same by LDPC and QAM, the best for each SNR"
LINEAR = "best linear codec"
# Jammers of separate designs, whose long codes no audit gets through, beside the one that DeepJSCC's learned.
POLICIES = (GaussianPolicy(), TwoPointPolicy(), *map(PulsedPolicy, (0.5, 0.2, 0.1, 0.05, 0.02)), TonePolicy(0.1))
# The SNR in dB at which jammers are met.
JAMMED_AT = 10.0
# Images whose words are rotated, each by a matrix of its own.
ROTATED = 200

Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """A set of images, a bandwidth ratio and a channel at some SNRs.

    The jammer is ``sjr_db`` below the signal; at `JAMMED_AT` it is the worst of several, the one that was learned
    ``against`` a study of that name among them. Losses are measured over so many ``blocks``.
    """

    data: str
    ratio: str
    channel: str
    levels: tuple[float, ...]
    sjr_db: float | None = None
    against: str = ""
    images: int | None = None
    blocks: int = 1000

    @property
    def name(self) -> str:
        """In the record."""
        sjr = "" if self.sjr_db is None else f"-sjr-{self.sjr_db:g}"
        return f"rivals/{self.data}-{self.ratio.replace('/', 'in')}-{self.channel}{sjr}"

    @property
    def uses(self) -> float:
        """Complex uses of an image."""
        return float(bandwidth_ratio(self.ratio) * math.prod(parts_of(self.data).test.images.shape[1:]))

    @property
    def test(self) -> Tensor:
        """Test images ``(count, k)``."""
        return flat(parts_of(self.data).test, self.images)

    def describe(self) -> dict[str, Any]:
        """It as plain values by name."""
        return asdict(self) | {"levels": list(self.levels)}


def measured(setting: Setting, folder: Path) -> dict[str, Any]:
    """The rows of each rival, and under a jammer what they come to by its kind."""
    parts, count = parts_of(setting.data), setting.images
    mean = parts.train.images.mean(0, dtype=float)
    codes = [coded(parts.test.images[:count], name, mean) for name in FORMATS]
    folder.mkdir(parents=True, exist_ok=True)
    with Store(folder / "blocks.jsonl") as store:

        def lost(mode: Mode, snr_db: float) -> Loss:
            return mode.lost_in_noise(snr_db, setting.blocks, store)

        if setting.sjr_db is None:
            return setting.describe() | {"lines": alone(setting, codes, lost)}
        noisy = OverNoise(lost)
        policy = folder.parents[1] / setting.against
        learned = {"learned": load_policy(policy)[0]} if setting.against and policy.exists() else {}
        lines = in_noise(setting, codes, noisy)
        return setting.describe() | {"lines": lines, "jammed": under_jammers(setting, codes, noisy, learned)}


def alone(setting: Setting, codes: list[Coded], lost: Callable[[Mode, float], Loss]) -> dict[str, list[Row]]:
    """Rows over noise or fading: files at capacity or in outage, the best design for each SNR, some, linear codecs."""
    fading = setting.channel == "rayleigh"
    limit, losses = (in_outage, OverFading(lost)) if fading else (ideal, OverNoise(lost))
    found = {
        f"{FILES}, {'best outage' if fading else 'at capacity'}": [
            limit(codes, setting.uses, level)._asdict() for level in setting.levels
        ],
        SEPARATE: [practical(codes, setting.uses, level, losses)._asdict() for level in setting.levels],
        LINEAR: linear(setting, (Rayleigh if fading else AWGN)(1.0).at),
    }
    for level in DESIGNS:
        if design := designed(codes, setting.uses, level, losses):
            levels = sorted({*setting.levels, *(level + off for off in CLIFF)})
            name = f"{design.code.format}, {design.mode.name}: for {level:g} dB"
            found[name] = [design.at(other, losses)._asdict() for other in levels]
    return found


def in_noise(setting: Setting, codes: list[Coded], losses: Losses) -> dict[str, list[Row]]:
    """Rows in Gaussian noise of nature's and the jammer's power; ``snr_db`` is nature's."""
    jam_power = from_decibels(-(setting.sjr_db or 0.0))
    heard = {level: -decibels(from_decibels(-level) + jam_power) for level in setting.levels}
    found: dict[str, list[Row]] = {
        f"{FILES}, at capacity": [ideal(codes, setting.uses, snr_db)._asdict() for snr_db in heard.values()],
        SEPARATE: [practical(codes, setting.uses, snr_db, losses)._asdict() for snr_db in heard.values()],
        LINEAR: linear(setting, lambda level: AWGN(from_decibels(-level) + jam_power)),
    }
    for rows in found.values():
        for level, row in zip(setting.levels, rows, strict=True):
            row["snr_db"] = level
    noise = f"Gaussian noise {setting.sjr_db:g} dB below the signal"
    return {f"{name}, {noise}": rows for name, rows in found.items()}


def linear(setting: Setting, at: Callable[[float], Channel]) -> list[Row]:
    """What linear codecs do over the channel ``at`` each level."""
    return [linear_row(setting, level, at(level)) for level in setting.levels]


def linear_row(setting: Setting, level: float, channel: Channel) -> Row:
    """The best linear codec for a channel, and its power over test images."""
    codec, test = best_linear(setting, channel), setting.test
    power = float(codec.encode(test).square().mean())
    row = {"snr_db": level, "scheme": LINEAR, "psnr": psnr(codec, channel, test), "uses": setting.uses, "power": power}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def best_linear(setting: Setting, channel: Channel) -> KLT:
    """The strongest components of the training images' covariance, in the real uses there are.

    Over fading its powers are those for more noise than there is, as much more as serves training images best.
    """
    source, noise_power = covariant(setting.data, CHOOSING if setting.images else LEARNED), float(channel.noise_power)
    n = min(round(2 * setting.uses), source.k)
    if isinstance(channel, AWGN):
        return KLT(source, noise_power, n)
    seen = flat(parts_of(setting.data).train, CHOOSING)
    tried = [KLT(source, more * noise_power, n) for more in NOISIER]
    return max(tried, key=lambda codec: psnr(codec, channel, seen))


@cache
def covariant(data: str, count: int) -> Images:
    """Training images, whose covariance is worked out once."""
    return Images(data, parts_of(data).train.images[:count])


def psnr(codec: Codec, channel: Channel, images: Tensor) -> float:
    """The mean over images, each sent once: as `measure` has it, which takes longer, for SSIM as well."""
    received = send(codec, channel, images).clamp(0, 1)
    return float(-10 * (received - images).square().mean(1).double().log10().mean())


def under(
    codec: Codec, data: str, images: Tensor, noise_power: float, jam_power: float, others: Mapping[str, Policy]
) -> dict[str, float]:
    """PSNR of test ``images`` of a set under jammers of one power: Gaussian, some others, and one that an audit finds.

    The audit sees validation images. Under the worst of them, also if transmitter and receiver share a rotation that
    the jammer does not know, by what that gains for a few images.
    """
    audit = attack(codec, Images("", parts_of(data).validation.images), jam_power, noise_power, quick=True)
    policies = {"gaussian": GaussianPolicy(), **others, "audit": audit.policy}
    jammers = {name: Jammer(policy, noise_power, jam_power) for name, policy in policies.items()}
    found = {name: psnr(codec, jammer, images) for name, jammer in jammers.items()}
    worst = min(found, key=found.__getitem__)
    few, jammer = images[:ROTATED], jammers[worst]
    gain = psnr(codec, SharedRotation(jammer), few) - psnr(codec, jammer, few)
    found |= {"worst": found[worst], "rotated": found[worst] + gain}
    return {name: round(value, 4) for name, value in found.items()}


def under_jammers(
    setting: Setting, codes: list[Coded], losses: Losses, learned: Mapping[str, Policy]
) -> dict[str, dict[str, float]]:
    """PSNR of the rivals under jammers, by their kind: the linear codec, and files designed for noise and the worst."""
    noise_power, jam_power = from_decibels(-JAMMED_AT), from_decibels(-(setting.sjr_db or 0.0))
    plain = best_linear(setting, AWGN(noise_power + jam_power))
    found = {LINEAR: under(plain, setting.data, setting.test, noise_power, jam_power, learned)}
    heard, few = -decibels(noise_power + jam_power), max(1, setting.blocks // 5)

    @cache
    def loss(mode: Mode, policy: Policy) -> Loss:
        return mode.lost(Jammer(policy, noise_power, jam_power), few)

    def worst(mode: Mode, snr_db: float) -> Loss:
        """None is tried after one that loses half of the blocks."""
        found = Loss(0.0, 0.0)
        for policy in (*learned.values(), *POLICIES):
            if found.mean < 0.5:
                found = max(found, loss(mode, policy))
        return found

    by_jammer = {"gaussian": losses, "worst": OverNoise(worst)}
    for name, policy in learned.items():
        by_jammer[name] = OverNoise(lambda mode, snr_db, policy=policy: loss(mode, policy))
    for name, wanted in (("Gaussian noise", losses), ("the worst", by_jammer["worst"])):
        design = designed(codes, setting.uses, heard, wanted)
        found[f"files by LDPC and QAM, for {name}"] = {
            kind: round((design.at(heard, law) if design else practical(codes, setting.uses, heard, wanted)).psnr, 4)
            for kind, law in by_jammer.items()
        }
    return found
