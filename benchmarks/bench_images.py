"""DeepJSCC over noise, fading and a learned jammer, beside separate source and channel coding: one verified SNR.

Why: published curves of DeepJSCC are at SNRs that nobody checked, and its rival is often a channel code at one rate.
Here both have the same complex uses at power one, and the rival picks the best format and the best rate at each SNR.

cifar     CIFAR-10, ratios 1/6 and 1/12, AWGN: a net that is told the SNR, 0 to 20 dB, 30 epochs, and what it does if
          it is told 7 dB whatever the SNR; all others have 8 epochs
epochs    the same at 1/6, told the SNR: what fewer epochs cost, 2 and 8
paper     the same with the paper's net, in as much time as 8 epochs of ours
fixed     the same at 1/6, trained at 1, 7, 13 and 19 dB each: how it degrades elsewhere
digits    MNIST and Fashion-MNIST, ratio 1/8, AWGN
rayleigh  all three sets over slow Rayleigh fading
jammer    all three sets against a jammer that learns as well, 0, 5 and 10 dB below the signal; then under Gaussian
          noise of its power, one that aims at the scale which words tell, and the worst that an audit finds
peak      CIFAR-10, 1/6, no complex symbol above 1.5 times the mean power

Beside each stand the best linear codec, files at capacity, the best separate design for each SNR, and three that stay
as they are, with their cliffs; under a jammer, the best linear codec and the best separate design in Gaussian noise of
its power, and what they come to under the worst jammer that is found for them, and behind a secret rotation. Each
codec is kept in OUT/PART, and its result also as a line of the record beside this file, which many machines can add to:
what is in the record is not repeated. With --minutes no codec is begun after so many; the tables are of what is
finished, and say what is missing. Each part ends with OUT/images_PART_SET_RATIO.png.

    python benchmarks/bench_images.py PART --out DIR [--seeds 3] [--minutes M] [--processes 2] [--quick]
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
from record import Result, parser, parts_of, rounded, run
from torch import Tensor

from channels import (
    AWGN,
    Channel,
    GaussianPolicy,
    Jammer,
    PulsedPolicy,
    Received,
    SharedRotation,
    TonePolicy,
    TwoPointPolicy,
    decibels,
    from_decibels,
)
from jscc_sim.attack import attack
from jscc_sim.certificates.latents import LatentPolicy
from jscc_sim.codec_training import flat
from jscc_sim.codecs import KLT, Codec, DeepJSCC
from jscc_sim.deepjscc import CHANNELS, PRESETS, Study, finish, load_deepjscc, measure, send
from jscc_sim.deepjscc.folder import load_channel
from jscc_sim.plot import fidelity_curves
from jscc_sim.plot import save as save_figure
from jscc_sim.separation import (
    FORMATS,
    Coded,
    Loss,
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
from jscc_sim.spelling import fraction

RECORD = Path(__file__).with_name("images.jsonl")
LEFT_OUT = ("curve", "tried")
LEVELS = tuple(float(level) for level in range(-5, 26, 2))
TOLD = (0.0, 20.0)
FULL = PRESETS["full"]
SHORT, PAPER = replace(FULL, epochs=8), replace(PRESETS["paper"], epochs=16)
SETS = {"cifar10": "1/6", "mnist": "1/8", "fashion-mnist": "1/8"}
# Training images whose covariance the linear codec knows; and those by which it chooses, over fading, for what noise.
LEARNED, CHOOSING, NOISIER = 20_000, 2_000, (1.0, 1.5, 2.0, 3.0, 4.0)
# Separate designs that stay as they are, where each is looked at closely, and blocks to measure how often one is lost.
DESIGNS, CLIFF, BLOCKS = (1.0, 7.0, 13.0), (-1.0, -0.5, -0.25, 0.0, 0.5), 1000
NOISE, FADING = (kind(lambda mode, snr_db: mode.lost_in_noise(snr_db, BLOCKS)) for kind in (OverNoise, OverFading))
FILES, SEPARATE = "best of JPEG, JPEG 2000, WebP", "the same by LDPC and QAM, the best for each SNR"
Curve = list[tuple[float, float]]
# Jammers of separate designs, whose long codes no audit gets through: as strong as what it is for each.
POLICIES = (GaussianPolicy(), TwoPointPolicy(), *map(PulsedPolicy, (0.5, 0.2, 0.1, 0.05, 0.02)), TonePolicy(0.1))
# Images whose words are rotated, each by a matrix of its own.
ROTATED = 200
# The SNR that an adaptive net is told though it is another.
BELIEVED = 7.0
# What a table shows beside PSNR over the SNR, by what name, and how; the first four of codecs that met a jammer.
REST = {
    "Gaussian of its power": ("psnr_gaussian", ".2f"),
    "aimed at the scale": ("psnr_aimed", ".2f"),
    "worst found": ("psnr_worst", ".2f"),
    "the same, behind a secret rotation": ("psnr_rotated", ".2f"),
    "power": ("power", ".4f"),
    "peak": ("peak_over_mean", ".2f"),
    "CPU s": ("cpu_seconds", ".0f"),
}
QUICK = {"images": 1024, "judged_images": 128, "recipe": replace(FULL, epochs=1)}


def cifar(seed: int) -> Iterator[Study]:
    """Two ratios."""
    yield from (Study(ratio=ratio, snr_db=TOLD, seed=seed) for ratio in ("1/6", "1/12"))


def fixed(seed: int) -> Iterator[Study]:
    """One SNR each."""
    yield from (Study(snr_db=(level,), recipe=SHORT, seed=seed) for level in (1.0, 7.0, 13.0, 19.0))


def epochs(seed: int) -> Iterator[Study]:
    """Fewer of them; as many as in the preset are in cifar."""
    yield from (Study(snr_db=TOLD, recipe=replace(FULL, epochs=count), seed=seed) for count in (2, SHORT.epochs))


def paper(seed: int) -> Iterator[Study]:
    """The published net."""
    yield Study(snr_db=TOLD, recipe=PAPER, seed=seed)


def digits(seed: int) -> Iterator[Study]:
    """Grey images."""
    yield from (Study(name, SETS[name], snr_db=TOLD, recipe=SHORT, seed=seed) for name in ("mnist", "fashion-mnist"))


def rayleigh(seed: int) -> Iterator[Study]:
    """Fading."""
    yield from (Study(name, ratio, "rayleigh", TOLD, recipe=SHORT, seed=seed) for name, ratio in SETS.items())


def jammer(seed: int) -> Iterator[Study]:
    """Jamming."""
    for name, ratio in SETS.items():
        for level in (0.0, 5.0, 10.0):
            yield Study(name, ratio, "jammer", (10.0,), level, recipe=SHORT, seed=seed)


def peak(seed: int) -> Iterator[Study]:
    """A limit."""
    yield Study(snr_db=TOLD, peak=1.5, recipe=SHORT, seed=seed)


PARTS = {part.__name__: part for part in (cifar, epochs, paper, fixed, digits, rayleigh, jammer, peak)}


def attempt(study: Study, folder: Path) -> dict[str, Any]:
    """What the record is to hold of a study, trained and measured unless it is finished."""
    parts = parts_of(study.data)
    result = finish(study, parts, folder)
    codec, channel, images = load_deepjscc(folder), load_channel(study, folder), study.judged(parts.test)
    found = [measure(codec, channel.at(level), images, codec.shape) for level in LEVELS]
    for score in ("psnr", "psnr_of_mse", "ssim"):
        result[f"over_snr_{score}"] = [round(getattr(one, score), 4) for one in found]
    if study.adaptive and isinstance(channel, AWGN):
        told = (psnr(codec, Believed(from_decibels(-level)), images) for level in LEVELS)
        result["over_snr_mistold"] = [round(one, 4) for one in told]
    if isinstance(channel, Jammer):
        result["psnr_aimed"] = round(aimed(codec, channel.at(study.middle), images), 4)
        gaussian = AWGN(from_decibels(-study.middle) + channel.jam_power)
        result["psnr_gaussian"] = round(psnr(codec, gaussian, images), 4)
        powers = channel.at(study.middle).noise_power, channel.jam_power
        worst = audited(codec, study.data, images, *powers)
        result |= {"psnr_worst": round(worst[0], 4), "psnr_rotated": round(worst[1], 4)}
    return rounded(result, LEFT_OUT)


def psnr(codec: Codec, channel: Channel, images: Tensor) -> float:
    """The mean over images, each sent once: as `measure` has it, which takes longer, for SSIM as well."""
    received = send(codec, channel, images).clamp(0, 1)
    return float(-10 * (received - images).square().mean(1).double().log10().mean())


class Believed(AWGN):
    """Noise that transmitter and receiver believe 7 dB below the signal, whatever it is."""

    @property
    def nominal(self) -> AWGN:
        """What they believe."""
        return AWGN(from_decibels(-BELIEVED))

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Add the noise that there is."""
        return Received(super().transmit(x, u).y, self.nominal)


def audited(codec: Codec, data: str, images: Tensor, noise_power: float, jam_power: float) -> tuple[float, float]:
    """PSNR of test ``images`` of a set under the worst jammer that an audit finds by validation images.

    And of a few of them if transmitter and receiver share a rotation that the jammer does not know.
    """
    parts = parts_of(data)
    policy = attack(codec, Images("", parts.validation.images), jam_power, noise_power, quick=True).policy
    worst = Jammer(policy, noise_power, jam_power)
    behind = SharedRotation(worst)
    return psnr(codec, worst, images), psnr(codec, behind, images[:ROTATED])


def aimed(codec: DeepJSCC, channel: Jammer, images: Tensor) -> float:
    """PSNR under the worse of two jammers as strong as that of ``channel`` that aim at the scale which words tell."""
    signs: Tensor = codec.get_submodule("encoder.scale").signs
    policies = (LatentPolicy(word.unsqueeze(0)) for word in (signs, -signs))
    jammers = (Jammer(policy, channel.noise_power, channel.jam_power) for policy in policies)
    return min(psnr(codec, jammer, images) for jammer in jammers)


def table(results: Sequence[Result]) -> str:
    """A row per study but for its seed: PSNR over the SNR, mean and spread over seeds."""
    shown = [level for level in LEVELS if level >= -1][::3]
    rest = {heading: name for heading, (name, _) in REST.items() if name in results[0]}
    lines = [f"| codec, PSNR in dB at SNR | {' | '.join([*(f'{level:g}' for level in shown), *rest])} |"]
    lines.append("|---" * (len(shown) + len(rest) + 1) + "|")
    for name, mine in by_study(results).items():
        curves = np.array([result["over_snr_psnr"] for result in mine])[:, [LEVELS.index(level) for level in shown]]
        spreads = curves.std(0, ddof=1) if len(mine) > 1 else [None] * len(shown)
        cells = [
            f"{mean:.2f}" + ("" if spread is None else f" ± {spread:.2f}")
            for mean, spread in zip(curves.mean(0), spreads, strict=True)
        ]
        cells += [f"{np.mean([result[what] for result in mine]):{REST[heading][1]}}" for heading, what in rest.items()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_study(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results that differ in their seeds alone."""
    found: dict[str, list[Result]] = {}
    for result in results:
        codec = Path(str(result["name"])).name.rpartition("-")[0]
        found.setdefault(f"{result['data']} {codec}, {result['epochs']} epochs", []).append(result)
    return found


@cache
def compressed(data: str, count: int | None) -> list[Coded]:
    """Test images by all formats, the first so many or all."""
    parts = parts_of(data)
    mean = parts.train.images.mean(0, dtype=float)
    return [coded(parts.test.images[:count], name, mean) for name in FORMATS]


def separate(result: Result, *, quick: bool) -> tuple[str, list[Coded], float]:
    """The set of images, its test images by all formats, and the complex uses that each has."""
    data = str(result["data"])
    values = math.prod(parts_of(data).test.images.shape[1:])
    return data, compressed(data, 128 if quick else None), float(fraction("ratio", result["ratio"]) * values)


def beside(result: Result, *, quick: bool) -> dict[str, Curve]:
    """PSNR over the SNR of what has as many uses: files at capacity or in outage, coded modulation, a linear codec."""
    data, codes, uses = separate(result, quick=quick)
    if (sjr_db := result["sjr_db"]) is not None:
        jam_power = from_decibels(-sjr_db)
        heard = {level: -decibels(from_decibels(-level) + jam_power) for level in LEVELS}
        noisy = [(level, practical(codes, uses, snr_db, NOISE).psnr) for level, snr_db in heard.items()]
        plain = linear(data, round(2 * uses), lambda level: AWGN(from_decibels(-level) + jam_power), quick=quick)
        return {
            f"{name}, Gaussian noise {sjr_db:g} dB below the signal": points
            for name, points in ((SEPARATE, noisy), ("best linear codec", plain))
        }
    fading = result["channel"] == "rayleigh"
    limit, losses = (in_outage, FADING) if fading else (ideal, NOISE)
    found = {
        f"{FILES}, {'best outage' if fading else 'at capacity'}": [
            (level, limit(codes, uses, level).psnr) for level in LEVELS
        ],
        SEPARATE: [(level, practical(codes, uses, level, losses).psnr) for level in LEVELS],
        "best linear codec": linear(data, round(2 * uses), CHANNELS[str(result["channel"])](1.0, 1.0).at, quick=quick),
    }
    for level in DESIGNS:
        design = designed(codes, uses, level, losses)
        if design is not None:
            levels = sorted({*LEVELS, *(level + off for off in CLIFF)})
            points = [(other, design.at(other, losses).psnr) for other in levels]
            found[f"{design.code.format}, {design.mode.name}: for {level:g} dB"] = points
    return found


def linear(data: str, n: int, at: Callable[[float], Channel], *, quick: bool) -> Curve:
    """What linear codecs of ``n`` real uses do over the channel ``at`` each level."""
    test, over = flat(parts_of(data).test), {level: at(level) for level in LEVELS}
    return [(level, psnr(best_linear(data, n, channel, quick=quick), channel, test)) for level, channel in over.items()]


def best_linear(data: str, n: int, channel: Channel, *, quick: bool) -> KLT:
    """The strongest components of the training images' covariance, in ``n`` real uses of unit mean power.

    Over fading its powers are those for more noise than there is, as much more as serves training images best.
    """
    train = parts_of(data).train
    source, noise_power = covariant(data, CHOOSING if quick else LEARNED), float(channel.noise_power)
    if isinstance(channel, AWGN):
        return KLT(source, noise_power, min(n, source.k))
    seen = flat(train, CHOOSING)
    tried = [KLT(source, more * noise_power, min(n, source.k)) for more in NOISIER]
    return max(tried, key=lambda codec: psnr(codec, channel, seen))


@cache
def covariant(data: str, count: int) -> Images:
    """Training images, whose covariance is worked out once."""
    return Images(data, parts_of(data).train.images[:count])


def under_jammers(result: Result, *, quick: bool) -> str:
    """What the rivals of a codec come to at its SNR: in Gaussian noise of the jammer's power, and at worst."""
    data, codes, uses = separate(result, quick=quick)
    (snr_db,), jam_power = result["snr_db"], from_decibels(-result["sjr_db"])
    noise_power = from_decibels(-snr_db)
    gaussian, test = AWGN(noise_power + jam_power), flat(parts_of(data).test)
    plain = best_linear(data, round(2 * uses), gaussian, quick=quick)
    rows: dict[str, tuple[float, ...]] = {
        "best linear codec": (
            psnr(plain, gaussian, test),
            *audited(plain, data, test, noise_power, jam_power),
        )
    }
    heard = -decibels(noise_power + jam_power)
    at_worst = OverNoise(lambda mode, level: jammed(mode, noise_power, jam_power))
    for name, losses in (("files by LDPC and QAM, for Gaussian noise", NOISE), ("the same, for the worst", at_worst)):
        design = designed(codes, uses, heard, losses)
        if design is not None:
            rows[name] = design.at(heard, NOISE).psnr, design.at(heard, at_worst).psnr
    cells = {name: [f"{psnr:.2f}" for psnr in psnrs] + ["–"] * (3 - len(psnrs)) for name, psnrs in rows.items()}
    lines = [f"| {name} | {' | '.join(shown)} |" for name, shown in cells.items()]
    heads = f"| {data}, SJR {result['sjr_db']:g} dB | Gaussian | worst found | rotated |"
    return "\n".join([heads, "|---|---|---|---|", *lines])


@cache
def jammed(mode: Mode, noise_power: float, jam_power: float) -> Loss:
    """How often a block is lost under the worst of `POLICIES`; none is tried after one that loses half of them."""
    worst = Loss(0.0, 0.0)
    for policy in POLICIES:
        if worst.mean < 0.5:
            worst = max(worst, mode.lost(Jammer(policy, noise_power, jam_power), BLOCKS // 5))
    return worst


def crossings(curve: Curve, other: Curve) -> list[float]:
    """The SNRs at which the first curve overtakes the other or falls behind it, between their points by a line."""
    snrs = np.array(sorted({snr for snr, _ in (*curve, *other)}))
    one, two = (np.interp(snrs, *zip(*points, strict=True)) for points in (curve, other))
    ahead = one - two
    places = np.flatnonzero(ahead[:-1] * ahead[1:] < 0)
    return [float(snrs[i] + (snrs[i + 1] - snrs[i]) * ahead[i] / (ahead[i] - ahead[i + 1])) for i in places]


def draw(part: str, results: Sequence[Result], out: Path, *, quick: bool) -> None:
    """A figure for each set and ratio, and where its lines cross."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result["data"], result["ratio"]), []).append(result)
    for (data, ratio), mine in groups.items():
        curves = {
            f"DeepJSCC, {name.partition(' ')[2]}": (
                list(zip(LEVELS, np.mean([one["over_snr_psnr"] for one in same], 0), strict=True)),
                list(zip(LEVELS, np.mean([one["over_snr_ssim"] for one in same], 0), strict=True)),
            )
            for name, same in by_study(mine).items()
        }
        psnrs, ssims = ({name: curve[side] for name, curve in curves.items()} for side in (0, 1))
        for name, same in by_study(mine).items():
            if part == "cifar":
                mistold = np.mean([one["over_snr_mistold"] for one in same], 0)
                psnrs[f"told {BELIEVED:g} dB, {name.partition(' ')[2]}"] = list(zip(LEVELS, mistold, strict=True))
        by_jammer = {one["sjr_db"]: one for one in mine}
        rivals = {name: curve for one in by_jammer.values() for name, curve in beside(one, quick=quick).items()}
        for name, rival in rivals.items():
            print(f"\n{data} {ratio}, {name}: " + ", ".join(f"{value:.2f} at {level:g}" for level, value in rival))
            for codec, curve in psnrs.items():
                if met := crossings(curve, rival):
                    print(f"{codec} crosses it at {', '.join(f'{snr:.1f}' for snr in met)} dB")
        for one in by_jammer.values():
            if one["sjr_db"] is not None:
                print(f"\n{under_jammers(one, quick=quick)}")
        figure = fidelity_curves(psnrs, ssims, beside=rivals)
        save_figure(figure, out / f"images_{part}_{data}_{ratio.replace('/', 'in')}.png")


def main() -> None:
    """Run a part, print its table and draw."""
    asked = parser(__doc__, PARTS, "codec").parse_args()
    studies: dict[str, Study] = {}
    for seed in range(asked.seed, asked.seed + asked.seeds):
        for study in PARTS[asked.part](seed):
            told = replace(study, **QUICK) if asked.quick else study
            studies[str(Path(asked.part, told.data, f"{told.recipe.epochs}-epochs", told.name))] = told
    record = asked.out / "quick.jsonl" if asked.quick else RECORD
    found = run(studies, attempt, asked.out, record, minutes=asked.minutes, processes=asked.processes)
    results = list(found.values())
    if results:
        print(f"\n{table(results)}")
        draw(asked.part, results, asked.out, quick=asked.quick)
    if missing := len(studies) - len(results):
        print(f"\n{missing} of {len(studies)} codecs are missing: the same command goes on")


if __name__ == "__main__":
    main()
