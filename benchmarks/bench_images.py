"""DeepJSCC over noise, fading and a learned jammer, beside separate source and channel coding: one verified SNR.

Why: published curves of DeepJSCC are at SNRs that nobody checked, and its rival is often a channel code at one rate.
Here both have the same complex uses at power one, and the rival picks the best format and the best rate at each SNR.

cifar     CIFAR-10, ratios 1/6 and 1/12, AWGN: a net that is told the SNR, 0 to 20 dB, 30 epochs, and what it does if
          it is told 7 dB whatever the SNR; most others have 8 epochs
epochs    the same at 1/6: what fewer epochs cost, 2 and 8, what 60 gain, and what it costs in 8 that no complex symbol
          is above 1.5 times the mean power, which its rivals are
paper     the same with the paper's net, trained at 1, 10 and 19 dB each, in as much time as 8 epochs of ours; then,
          that of 10 dB, under jammers, as below: its words tell no scale that one could aim at
fixed     the same with ours, at 1, 7, 13 and 19 dB each: how it degrades elsewhere, told the SNR or not
digits    MNIST and Fashion-MNIST, ratio 1/8, AWGN
rayleigh  all three sets over slow Rayleigh fading
jammer    all three sets at 10 dB, 4 epochs, against a jammer that learns as well, 0, 5 and 10 dB below the signal, and
          over noise alone; then under Gaussian noise of that power, the jammer that learned, one that aims at the scale
          which words tell, the worst that an audit finds, and the worst of these behind a secret rotation

Beside each stand its `rivals`: the best linear codec, files at capacity, the best separate design for each SNR, and
three that stay as they are, with their cliffs; under a jammer, what these come to under Gaussian noise, under the
jammer that DeepJSCC's learned, and under the worst that is found for them. Each codec is kept in OUT/PART; its result
is a line of images.jsonl beside this file, and that of rivals of images_rivals.jsonl, which many machines can add to:
what they hold is not repeated. With --minutes no codec is begun after so many; the tables are of what is finished, and
say what is missing. Each part ends with OUT/images_PART_SET_RATIO.png, or images_PART_SET_jammed.png.

    python benchmarks/bench_images.py PART --out DIR [--seeds 3] [--minutes M] [--processes 2] [--quick]
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
from matplotlib.figure import Figure
from record import Result, cell, parser, parts_of, rounded, run
from rivals import JAMMED_AT, Row, Setting, measured, psnr, under
from torch import Tensor

from channels import AWGN, Jammer, Policy, Received, from_decibels
from jscc_sim.certificates.latents import LatentPolicy
from jscc_sim.codecs import DeepJSCC
from jscc_sim.codecs.scale import Scale
from jscc_sim.deepjscc import PRESETS, Study, finish, load_deepjscc, measure
from jscc_sim.deepjscc.folder import load_channel
from jscc_sim.link import Link
from jscc_sim.plot import fidelity_curves
from jscc_sim.plot import save as save_figure
from jscc_sim.snr_check import check_snr
from jscc_sim.sources import Images

RECORD, RIVALS = (Path(__file__).with_name(name) for name in ("images.jsonl", "images_rivals.jsonl"))
LEFT_OUT = ("curve", "tried")
LEVELS = tuple(float(level) for level in range(-5, 26, 3))
SHOWN = (1.0, 4.0, 7.0, 10.0, 13.0, 16.0, 19.0)
TOLD = (0.0, 20.0)
FULL, QUICKLY = PRESETS["full"], PRESETS["quick"]
SHORT, SHORTEST = replace(FULL, epochs=8), replace(QUICKLY, epochs=4)
PAPER = replace(PRESETS["paper"], epochs=16)
SETS = {"cifar10": "1/6", "mnist": "1/8", "fashion-mnist": "1/8"}
# The signal over the jammer, in dB.
SJRS = (0.0, 5.0, 10.0)
# The SNR that an adaptive net is told though it is another; one that is not adaptive, that of its training.
BELIEVED = 7.0
# What a table shows beside PSNR over the SNR, by what name, and how.
REST = {
    "SNR delivered at the middle": ("delivered_db", ".3f"),
    "uses/value": ("uses_per_value", ".4f"),
    "power": ("power", ".4f"),
    "peak": ("peak_over_mean", ".2f"),
    "CPU s": ("cpu_seconds", ".0f"),
}
JAMMERS = {
    "gaussian": "Gaussian",
    "learned": "DeepJSCC's",
    "aimed": "aimed",
    "audit": "of the audit",
    "worst": "worst of all",
    "rotated": "the same, rotated",
}
MARKERS = "o^x+sD"
# A public re-implementation (11 M weights, trained on all 50,000 images: prashantrajbista/wireless_image_transmission)
# at the SNRs that it delivers, 3 dB above those that it reports, as its README says. The paper's values are in figures.
REIMPLEMENTED = {("cifar10", "1/6"): [(4.0, 27.39), (13.0, 33.13), (22.0, 36.12)]}
QUICK = {"images": 1024, "judged_images": 128, "recipe": replace(FULL, epochs=1)}
QUICK_RIVALS = {"images": 128, "blocks": 20, "levels": (4.0, 10.0)}


def cifar(seed: int) -> Iterator[Study]:
    """Two ratios."""
    yield from (Study(ratio=ratio, snr_db=TOLD, seed=seed) for ratio in ("1/6", "1/12"))


def epochs(seed: int) -> Iterator[Study]:
    """Fewer of them, and more, and a limit; as many as in the preset are in cifar."""
    tried = (replace(QUICKLY, epochs=2), SHORT, replace(FULL, epochs=60))
    yield from (Study(snr_db=TOLD, recipe=recipe, seed=seed) for recipe in tried)
    yield Study(snr_db=TOLD, peak=1.5, recipe=SHORT, seed=seed)


def paper(seed: int) -> Iterator[Study]:
    """The published net."""
    yield from (Study(snr_db=(level,), recipe=PAPER, seed=seed) for level in (1.0, 10.0, 19.0))


def fixed(seed: int) -> Iterator[Study]:
    """One SNR each."""
    yield from (Study(snr_db=(level,), recipe=SHORT, seed=seed) for level in (1.0, 7.0, 13.0, 19.0))


def digits(seed: int) -> Iterator[Study]:
    """Grey images."""
    yield from (Study(name, SETS[name], snr_db=TOLD, recipe=SHORT, seed=seed) for name in ("mnist", "fashion-mnist"))


def rayleigh(seed: int) -> Iterator[Study]:
    """Fading."""
    yield from (Study(name, ratio, "rayleigh", TOLD, recipe=SHORT, seed=seed) for name, ratio in SETS.items())


def jammer(seed: int) -> Iterator[Study]:
    """Jamming, and noise alone."""
    for name, ratio in SETS.items():
        yield from (Study(name, ratio, "jammer", (JAMMED_AT,), sjr, recipe=SHORTEST, seed=seed) for sjr in SJRS)
        yield Study(name, ratio, snr_db=(JAMMED_AT,), recipe=SHORTEST, seed=seed)


PARTS = {part.__name__: part for part in (cifar, epochs, paper, fixed, digits, rayleigh, jammer)}
JAMMED = ("paper", "jammer")
# PSNR in dB under each kind of jammer, for each seed, of systems by name.
Systems = dict[str, list[Mapping[str, float]]]
# Of a curve: the SNR in dB and a score.
Points = list[tuple[float, float]]


def attempt(study: Study, folder: Path) -> dict[str, Any]:
    """What the record is to hold of a study, trained and measured unless it is finished."""
    parts = parts_of(study.data)
    result = finish(study, parts, folder)
    codec, channel, images = load_deepjscc(folder), load_channel(study, folder), study.judged(parts.test)
    found = [measure(codec, channel.at(level), images, codec.shape) for level in LEVELS]
    for score in ("psnr", "psnr_of_mse", "ssim"):
        result[f"over_snr_{score}"] = [round(getattr(one, score), 4) for one in found]
    if isinstance(channel, AWGN):
        believed = AWGN(from_decibels(-(BELIEVED if study.adaptive else study.middle)))
        told = (psnr(codec, Believed(from_decibels(-level), believed), images) for level in LEVELS)
        result["over_snr_mistold"] = [round(one, 4) for one in told]
    result["delivered_db"] = delivered(study, codec)
    return rounded(result, LEFT_OUT)


def delivered(study: Study, codec: DeepJSCC) -> float:
    """The SNR in dB that is measured where the middle of the study's is asked for, over noise."""
    source = Images("", parts_of(study.data).test.images)

    def factory(snr_db: float) -> Link:
        channel = AWGN(from_decibels(-snr_db))
        return Link(source, codec.told(channel), channel)

    return check_snr(factory, study.middle).delivered_db.value


class Believed(AWGN):
    """Noise that transmitter and receiver ``believe`` to be of another power, whatever it is."""

    def __init__(self, noise_power: float, believed: AWGN) -> None:
        super().__init__(noise_power)
        self.believed = believed

    @property
    def nominal(self) -> AWGN:
        """What they believe."""
        return self.believed

    def transmit(self, x: Tensor, u: Tensor | None = None) -> Received:
        """Add the noise that there is."""
        return Received(super().transmit(x, u).y, self.nominal)


def jammed(study: Study, folder: Path) -> dict[str, Any]:
    """The same, and at `JAMMED_AT` PSNR under jammers of its own power, of all if it learned over noise alone."""
    result = attempt(study, folder) | {"jammed": {}}
    if study.middle != JAMMED_AT:
        return result
    codec, channel = load_deepjscc(folder), load_channel(study, folder)
    told = [part.signs.unsqueeze(0) for part in codec.encoder.modules() if isinstance(part, Scale)]
    aimed = {f"aimed {sign:+d}": LatentPolicy(sign * signs) for signs in told for sign in (1, -1)}
    own: dict[str, Policy] = {"learned": channel.policy} if isinstance(channel, Jammer) else {}
    images, noise_power = study.judged(parts_of(study.data).test), from_decibels(-study.middle)
    for sjr_db in SJRS if study.sjr_db is None else (study.sjr_db,):
        found = under(codec, study.data, images, noise_power, from_decibels(-sjr_db), {**own, **aimed})
        if aimed:
            found["aimed"] = min(found.pop(name) for name in aimed)
        result["jammed"][f"{sjr_db:g}"] = found
    return result


def settings(studies: Mapping[str, Study], *, quick: bool) -> dict[str, Setting]:
    """What the rivals of studies meet; under a jammer, that of the first seed too."""
    found: dict[str, Setting] = {}
    for name, study in studies.items():
        against = name if study.channel == "jammer" else ""
        setting = Setting(study.data, study.ratio, study.channel, LEVELS, study.sjr_db, against)
        found.setdefault(setting.name, replace(setting, **QUICK_RIVALS) if quick else setting)
    return found


def table(results: Sequence[Result]) -> str:
    """A row per study but for its seed: PSNR over the SNR, mean and spread over seeds."""
    lines = [f"| codec, PSNR in dB at SNR | {' | '.join([*(f'{level:g}' for level in SHOWN), *REST])} |"]
    lines.append("|---" * (len(SHOWN) + len(REST) + 1) + "|")
    for name, mine in by_study(results).items():
        for curve in ("psnr", "mistold"):
            if f"over_snr_{curve}" not in mine[0]:
                continue
            curves = np.array([result[f"over_snr_{curve}"] for result in mine])
            cells = [cell(curves[:, LEVELS.index(level)]) for level in SHOWN]
            cells += [f"{np.mean([result[what] for result in mine]):{how}}" for what, how in REST.values()]
            lines.append(f"| {name}{', told another SNR' * (curve == 'mistold')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_study(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Results that differ in their seeds alone."""
    found: dict[str, list[Result]] = {}
    for result in results:
        codec = Path(str(result["name"])).name.rpartition("-")[0]
        found.setdefault(f"{result['data']} {codec}, {result['epochs']} epochs", []).append(result)
    return found


def accounts(rows: Sequence[Row]) -> str:
    """What a rival does at each SNR, and how its uses were spent."""
    shown = ("snr_db", "psnr", "uses", "budget", "spent", "header", "lost", "lost_most", "power", "format", "scheme")
    names = [name for name in shown if name in rows[0]]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    values = [[f"{row[name]:.4g}" if isinstance(row[name], float) else row[name] for name in names] for row in rows]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in values)])


def under_jammers(results: Sequence[Result], rivals: Sequence[Result]) -> dict[float, Systems]:
    """What codecs, for each seed, and rivals came to under jammers, by the SJR in dB."""
    found: dict[float, Systems] = {}
    for sjr_db in SJRS:
        rows: Systems = {}
        for one in results:
            learned = "against a jammer" if one["channel"] == "jammer" else "over noise"
            if psnrs := one["jammed"].get(f"{sjr_db:g}"):
                rows.setdefault(f"DeepJSCC ({one['net']}), learned {learned}", []).append(psnrs)
        for rival in rivals:
            if rival["sjr_db"] == sjr_db:
                rows |= {name: [psnrs] for name, psnrs in rival["jammed"].items()}
        found[sjr_db] = rows
    return found


def jammed_table(data: str, found: Mapping[float, Systems]) -> str:
    """PSNR under jammers of each power, mean and spread over seeds."""
    lines = [f"| {data}, SJR in dB, system | {' | '.join(JAMMERS.values())} |", "|---" * (len(JAMMERS) + 1) + "|"]
    for sjr_db, systems in found.items():
        for name, mine in systems.items():
            cells = [cell([one[kind] for one in mine]) if kind in mine[0] else "–" for kind in JAMMERS]
            lines.append(f"| {sjr_db:g}, {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def jammed_figure(data: str, found: Mapping[float, Systems]) -> Figure:
    """The same, a panel for each power and a line for each system."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    figure.suptitle(f"{data}, SNR {JAMMED_AT:g} dB, under jammers")
    panels = figure.subplots(1, len(found), sharex=True, squeeze=False)[0]
    for axes, (sjr_db, systems) in zip(panels, found.items(), strict=True):
        lines = range(len(systems))
        for (kind, says), marker in zip(JAMMERS.items(), MARKERS, strict=True):
            means = [np.mean([one.get(kind, np.nan) for one in mine]) for mine in systems.values()]
            axes.plot(means, lines, marker, fillstyle="none", label=says)
        axes.set(title=f"SJR {sjr_db:g} dB", xlabel="PSNR (dB)", yticks=lines)
        axes.set_yticklabels(systems if axes is panels[0] else [])
        axes.invert_yaxis()
        axes.grid(alpha=0.3)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(JAMMERS), title="jammer"
    )
    return figure


def crossings(curve: Points, other: Points) -> list[float]:
    """The SNRs at which the first curve overtakes the other or falls behind it, between their points by a line."""
    snrs = np.array(sorted({snr for snr, _ in (*curve, *other)}))
    one, two = (np.interp(snrs, *zip(*points, strict=True)) for points in (curve, other))
    ahead = one - two
    places = np.flatnonzero(ahead[:-1] * ahead[1:] < 0)
    return [float(snrs[i] + (snrs[i + 1] - snrs[i]) * ahead[i] / (ahead[i] - ahead[i + 1])) for i in places]


def show(part: str, results: Sequence[Result], rivals: Sequence[Result], out: Path) -> None:
    """For each set and ratio what rivals do, where their lines cross those of codecs, and a figure."""
    print(f"\n{table(results)}")
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result["data"], result["ratio"]), []).append(result)
    for (data, ratio), mine in groups.items():
        met = [rival for rival in rivals if (rival["data"], rival["ratio"]) == (data, ratio)]
        beside = {name: rows for rival in met for name, rows in rival["lines"].items()}
        curves = {name: [(row["snr_db"], row["psnr"]) for row in rows] for name, rows in beside.items()}
        psnrs = over_snr(mine, "psnr")
        for name, rows in beside.items():
            print(f"\n{data} {ratio}, {name}:\n\n{accounts(rows)}")
            for codec, curve in psnrs.items():
                if crossed := crossings(curve, curves[name]):
                    print(f"\n{codec} crosses it at {', '.join(f'{snr:.1f}' for snr in crossed)} dB")
        if part in JAMMED:
            found = under_jammers(mine, [rival for rival in met if "jammed" in rival])
            print(f"\n{jammed_table(data, found)}")
            save_figure(jammed_figure(data, found), out / f"images_{part}_{data}_jammed.png")
        if part != "jammer":  # whose rivals are of three powers: too many lines for one figure
            save_figure(fidelity(part, mine, curves), out / f"images_{part}_{data}_{ratio.replace('/', 'in')}.png")


def fidelity(part: str, results: Sequence[Result], beside: Mapping[str, Points]) -> Figure:
    """PSNR and SSIM of codecs for one set and ratio over the SNR, and PSNR of what stands beside."""
    data, ratio, channel = (results[0][name] for name in ("data", "ratio", "channel"))
    psnrs = over_snr(results, "psnr")
    if part in ("cifar", "fixed", "paper"):
        psnrs |= over_snr(results, "mistold", "told another SNR" if part == "cifar" else "told its own SNR")
    if part != "rayleigh" and (data, ratio) in REIMPLEMENTED:
        beside = {**beside, "a re-implementation, its SNR corrected": REIMPLEMENTED[data, ratio]}
    title = f"{data}, ratio {ratio}, {channel}"
    return fidelity_curves(psnrs, over_snr(results, "ssim"), beside=beside, title=title)


def over_snr(results: Sequence[Result], score: str, said: str = "DeepJSCC") -> dict[str, Points]:
    """A score over `LEVELS`, by what is ``said`` and the study: the mean over seeds."""
    return {
        f"{said}, {name.partition(' ')[2]}": list(
            zip(LEVELS, np.mean([one[f"over_snr_{score}"] for one in mine], 0).tolist(), strict=True)
        )
        for name, mine in by_study(results).items()
    }


def main() -> None:
    """Run a part, print its tables and draw."""
    asked = parser(__doc__, PARTS, "codec").parse_args()
    studies: dict[str, Study] = {}
    for seed in range(asked.seed, asked.seed + asked.seeds):
        for study in PARTS[asked.part](seed):
            told = replace(study, **QUICK) if asked.quick else study
            studies[str(Path(asked.part, told.data, f"{told.recipe.epochs}-epochs", told.name))] = told
    trained, held = (asked.out / "quick.jsonl", asked.out / "rivals.jsonl") if asked.quick else (RECORD, RIVALS)
    much = {"minutes": asked.minutes, "processes": asked.processes}
    found = run(studies, jammed if asked.part in JAMMED else attempt, asked.out, trained, **much)
    conducted = {name: studies[name] for name in found}  # rivals are to meet jammers that have learned
    rivals = run(settings(conducted, quick=asked.quick), measured, asked.out, held, aside=("against",), **much)
    if found:
        show(asked.part, list(found.values()), list(rivals.values()), asked.out)
    if missing := len(studies) - len(found):
        print(f"\n{missing} of {len(studies)} codecs are missing: the same command goes on")


if __name__ == "__main__":
    main()
