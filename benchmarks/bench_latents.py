"""Regularisers head to head on images: the long studies behind the tables of latents.

Why: one row per method hides that each trades reconstruction for matching by its weight; only frontiers compare them.
And no one run is worth much: all methods share images, architecture, schedule and seeds.

frontier   MNIST, k = 8, MLP: five weights of each method, and how far apart the frontiers of MSE and FD are
tuning     MNIST, k = 8, MLP, on validation images: what each method's settings were chosen from
tuning_32  the same with k = 32
wide       MNIST, k = 32, MLP: each method at the settings that were chosen there
fashion    Fashion-MNIST, k = 8, MLP: all methods at their presets, which nobody tuned to it
tuning_conv  MNIST, k = 8, DCGAN-like, on validation images: weights of the methods that do best there
conv       the same, on test images: what was chosen there, and other methods at their presets
cifar      CIFAR-10, DCGAN-like, k = 64 and 128: all methods at their presets, distances in lite0
capacity   CIFAR-10, k = 64: receivers of the jammer's codec from 64 to 512 units
rule       MNIST, DCGAN-like, k = 2 and 8, on validation images: the jammer's weight, width and batch
priors     MNIST, k = 8, MLP: the jammer's latents shaped to other priors

Each model is kept in OUT/PART, and its result also as a line of the record beside this file, which many machines can
add to: what is in the record is not repeated, and tables are made of it. With --minutes no model is begun after so
many; the tables are of what is finished, and say what is missing. Henze and Zirkler's statistic grows with the number
of words unless they are Gaussian: below each table it is given for 2,000 too. FD falls when draws are wider than what
the decoder learned from; with --widths it is shown how far, of the models that are in OUT.

    python benchmarks/bench_latents.py PART --out DIR [--seeds 3] [--minutes M] [--processes 2] [--widths] [--quick]
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from record import Result, parser, rounded, run
from scipy.stats import bootstrap, t

from jscc_sim.autoencoders import Schedule
from jscc_sim.gaussianity import hz
from jscc_sim.plot import save as save_figure
from jscc_sim.plot import trade_off
from jscc_sim.precision import gains_from_bf16
from jscc_sim.regularise import (
    LATENTS,
    Method,
    Study,
    by_weight,
    finish_by_name,
    generated,
    load_model,
    recall,
    reference_of,
    table,
)
from jscc_sim.seeds import seeded

RECORD = Path(__file__).with_name("latents.jsonl")
# Of a result, what the record leaves out: how training went, and distances that no table shows.
LEFT_OUT = ("curve", "kd_")
# Of a study, what may differ: the weight that its method has by default, and a matter of the machine.
ASIDE = ("weight", "bf16")

Points = NDArray[np.float64]

# Times each method's own weight.
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
WEIGHED = ("jamming", "sinkhorn", "wae", "aae", "sliced", "vae", "covariance")
ALL = (*WEIGHED, "rae", "mixture", "none")
# What was tried of each method.
SETTINGS = (
    *(f"jamming(weight={weight})" for weight in (0.01, 0.015, 0.02, 0.03, 0.045, 0.06, 0.09)),
    *(f"vae(weight={weight})" for weight in (0.0625, 0.125, 0.25, 0.5)),
    *(f"wae(weight={weight})" for weight in (0.0125, 0.025, 0.05, 0.1, 0.2)),
    *(f"wae(kernel=rbf,weight={weight})" for weight in (0.0125, 0.05)),
    *(f"wae(kernel=energy,weight={weight})" for weight in (0.0125, 0.05, 0.1, 0.2)),
    *(f"sliced(weight={weight})" for weight in (0.01875, 0.0375, 0.075, 0.15, 0.3)),
    *(f"sliced(normaliser=unit,weight={weight})" for weight in (0.05, 0.1, 0.2)),
    *(f"aae(lr=0.001,updates=1,warmup=500,weight={weight})" for weight in (0.00125, 0.0025, 0.005)),
    *(f"aae(lr=0.005,updates=2,warmup=1000,weight={weight})" for weight in (0.0025, 0.004, 0.006, 0.009)),
    *(f"aae(lr=0.002,updates=2,warmup=1000,weight={weight})" for weight in (0.00125, 0.0025, 0.004)),
    *(f"sinkhorn(weight={weight})" for weight in (0.0125, 0.025, 0.05)),
    *(f"covariance(weight={weight})" for weight in (0.0025, 0.005, 0.01, 0.02, 0.04)),
    *(f"rae(weight={weight})" for weight in ("1e-06", "1e-05", "0.0001", "0.001")),
    "mixture",
    "none",
)
# What was chosen for 32 latents, the jammer's own setting beside it; and for convolutional nets what was tried.
CHOSEN_32 = (
    "jamming(weight=0.03)",
    "jamming",
    "covariance(weight=0.04)",
    "aae(lr=0.002,updates=2,warmup=1000,weight=0.00125)",
    "sinkhorn(weight=0.025)",
    "wae(weight=0.1)",
    "sliced(normaliser=unit,weight=0.05)",
    "vae(weight=0.125)",
    "mixture",
    "none",
)
SETTINGS_CONV = (
    *(f"jamming(weight={weight})" for weight in (0.005, 0.01, 0.02)),
    *(f"aae(weight={weight})" for weight in (0.0015, 0.003, 0.006)),
    *(f"sinkhorn(weight={weight})" for weight in (0.0125, 0.025)),
)
# What was chosen for them by the same rule; beside it the lightest of the jammer and of its nearest rival.
CHOSEN_CONV = (
    "jamming(weight=0.01)",
    "jamming(weight=0.005)",
    "aae(weight=0.006)",
    "aae(weight=0.0015)",
    "sinkhorn(weight=0.025)",
    "wae",
    "sliced",
    "covariance",
    "vae",
    "none",
)
FEW_WORDS, WIDTHS = 2000, (0.9, 1.0, 1.1, 1.2)
# Of the rule: weights, the receiver's own units, and the batch and weight at which others are tried.
ETAS, OWN, AT_WIDTH = (0.1, 0.5, 1.0, 2.0, 5.0), 64, (256, 2.0)
# Values of an image; and of the rule, images, epochs, and over how many of these the weight rises.
DIGIT, FEW, EPOCHS, WARM = 784, 20_000, 8, 3
# A number format that is a matter of the machine.
BF16 = gains_from_bf16()
QUICK = {"images": 2048, "judged_images": 500}


def weighed(method: str, factor: float) -> str:
    """A method at so many times its own weight."""
    own = Method.parse(method).build(8, 1).weight
    return f"{method}(weight={own * factor:g})"


def frontier(seed: int) -> Iterator[tuple[str, Study]]:
    """Five weights of each method."""
    for method, factor in product(WEIGHED, FACTORS):
        yield "", Study("mnist", weighed(method, factor), seed=seed)
    yield "", Study("mnist", "none", seed=seed)


def tuning(seed: int) -> Iterator[tuple[str, Study]]:
    """Settings of each method, judged by images to choose by."""
    for method in SETTINGS:
        yield "", Study("mnist", method, seed=seed, split="validation")


def tuning_32(seed: int) -> Iterator[tuple[str, Study]]:
    """The same settings with 32 latents."""
    for method in SETTINGS:
        yield "", Study("mnist", method, 32, seed=seed, split="validation")


def wide(seed: int) -> Iterator[tuple[str, Study]]:
    """What was chosen for 32 latents."""
    for method in CHOSEN_32:
        yield "", Study("mnist", method, 32, seed=seed)


def fashion(seed: int) -> Iterator[tuple[str, Study]]:
    """All methods on clothes."""
    for method in ALL:
        yield "", Study("fashion-mnist", method, seed=seed)


def conv(seed: int) -> Iterator[tuple[str, Study]]:
    """What was chosen for convolutional nets."""
    for method in CHOSEN_CONV:
        yield "", Study("mnist", method, family="conv", schedule=Schedule(bf16=BF16), seed=seed)


def tuning_conv(seed: int) -> Iterator[tuple[str, Study]]:
    """Weights of the best methods with convolutional nets, judged by images to choose by."""
    for method in SETTINGS_CONV:
        yield (
            "",
            Study("mnist", method, family="conv", schedule=Schedule(bf16=BF16), seed=seed, split="validation"),
        )


def cifar(seed: int) -> Iterator[tuple[str, Study]]:
    """All methods on colour images, with many latents."""
    for k, method in product((64, 128), ALL):
        yield f"k={k}", colour(method, k, seed)


def capacity(seed: int) -> Iterator[tuple[str, Study]]:
    """Receivers of several widths."""
    for hidden in (64, 128, 256, 512):
        yield "", colour(f"jamming(hidden={hidden})", 64, seed)


def colour(method: str, k: int, seed: int) -> Study:
    """On CIFAR-10."""
    schedule = Schedule(8, 256, bf16=BF16)
    return Study("cifar10", method, k, "conv", schedule, seed, judged_images=2500, extractor="lite0")


def rule(seed: int) -> Iterator[tuple[str, Study]]:
    """The jammer's weights and batches at its own width, and its widths at one weight and batch.

    ``η`` weighs the codec's error ``‖X − X̂‖²/P`` against ``‖D − D̂‖²``, both summed over a word, as in the paper.
    """
    of_eta = [(OWN, batch, eta) for batch in (64, 256, 1024) for eta in ETAS]
    of_width = [(hidden, *AT_WIDTH) for hidden in (16, 256)]
    for k, (hidden, batch, eta) in product((2, 8), of_eta + of_width):
        weight, warmup = eta * k / DIGIT, round(WARM * FEW / batch)
        method = f"jamming(hidden={hidden},warmup={warmup},weight={weight:.3g})"
        yield (
            f"k={k}, batch={batch}",
            Study(
                "mnist",
                method,
                k,
                "conv",
                Schedule(EPOCHS, batch, bf16=BF16),
                seed,
                FEW,
                split="validation",
            ),
        )


def priors(seed: int) -> Iterator[tuple[str, Study]]:
    """The jammer's latents by the map of each prior, at the weight that makes them pass for Gaussian."""
    for prior in ("uniform", "laplace", "exponential", "two_modes", "ring"):
        yield prior, Study("mnist", "jamming(weight=auto)", seed=seed, prior=prior)


PARTS = {
    part.__name__: part
    for part in (frontier, tuning, tuning_32, wide, fashion, conv, tuning_conv, cifar, capacity, rule, priors)
}


def attempt(study: Study, folder: Path) -> dict[str, Any]:
    """What the record is to hold of a study, trained and measured unless it is finished."""
    result = recall(study, folder) or finish_by_name(study, folder)
    z = np.load(folder / LATENTS).astype(np.float64)
    gaussian = np.random.default_rng(study.seed).standard_normal(z.shape)
    few = {"hz_of_few": of_few_words(z), "hz_of_few_null": of_few_words(gaussian)}
    return rounded(result | few, LEFT_OUT)


def envelope(points: Points, errors: Points) -> Points:
    """The least ``log FD`` at each of some errors: between the points ``(count, 2)`` that no other beats in both."""
    order = points[np.lexsort((points[:, 1], points[:, 0]))]
    best = np.minimum.accumulate(order[:, 1])
    ahead = order[np.r_[True, order[1:, 1] < best[:-1]]]
    return np.interp(errors, ahead[:, 0], np.log(ahead[:, 1]), left=math.inf)


def behind(rival: Points, jamming: Points) -> float:
    """The mean of ``log FD`` of a rival's frontier over the jammer's, where both trade one for the other.

    That is from the least error that both reach to that of the jammer's least FD: beyond, nothing is gained.
    """
    low = max(rival[:, 0].min(), jamming[:, 0].min())
    high = max(low, jamming[jamming[:, 1].argmin(), 0])
    errors = np.linspace(low, high, 400)
    return float((envelope(rival, errors) - envelope(jamming, errors)).mean())


def interval(logs: Points) -> str:
    """The geometric mean of what ``logs`` are the logarithms of, with Student's interval over seeds."""
    middle, error = logs.mean(), logs.std(ddof=1) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf
    half = error * t.ppf(0.975, max(1, len(logs) - 1))
    return f"{math.exp(middle):.3g} | {np.exp(middle - half):.3g} to {np.exp(middle + half):.3g}"


def resampled(logs: Points) -> str:
    """The bias-corrected bootstrap interval over seeds of the same mean; of so few, it is too narrow."""
    if len(logs) < 2:
        return "–"
    found = bootstrap((logs,), np.mean, rng=np.random.default_rng(0)).confidence_interval
    return f"{math.exp(found.low):.3g} to {math.exp(found.high):.3g}"


def compare(results: Sequence[Result]) -> str:
    """How far the frontier of each rival is behind the jammer's, with an interval over paired seeds."""
    points: dict[str, dict[int, list[tuple[float, float]]]] = {}
    for result in results:
        of_method = points.setdefault(Method.parse(result["method"]).name, {})
        of_method.setdefault(int(result["seed"]), []).append((result["mse"], result["fd"]))
    lines = ["| rival | FD at equal MSE, over the jammer's | 95 % by Student | by bootstrap | each seed |"]
    lines += ["|---|---|---|---|---|"]
    for rival, by_seed in points.items():
        common = sorted(by_seed.keys() & points["jamming"].keys())
        if rival == "jamming" or not common:
            continue
        found = np.array([behind(np.array(by_seed[s]), np.array(points["jamming"][s])) for s in common])
        each = ", ".join(f"{ratio:.3f}" for ratio in np.exp(found))
        lines.append(f"| {rival} | {interval(found)} | {resampled(found)} | {each} |")
    return "\n".join(lines)


def least(points: Points) -> float:
    """Where ``log FD`` is least: of the parabola in ``log η`` through the best of ``(η, FD)`` and its neighbours."""
    found = np.log(points[points[:, 0].argsort()])
    best = int(np.clip(found[:, 1].argmin(), 1, len(found) - 2))
    near = found[best - 1 : best + 2]
    curvature, slope, _ = np.polyfit(*near.T, 2)
    middle = -slope / (2 * curvature) if curvature > 0 else near[near[:, 1].argmin(), 0]
    return float(np.clip(middle, near[0, 0], near[-1, 0]))


def eta_rule(results: Sequence[Result]) -> str:
    """The η of least FD by k and batch, how it grows with the batch, and FD by the receiver's width."""
    of_eta: dict[tuple[int, int], dict[int, list[tuple[float, float]]]] = {}
    of_width: dict[tuple[int, int], dict[int, float]] = {}
    for result in results:
        hidden, seed, k, eta = hidden_of(result), int(result["seed"]), int(result["k"]), eta_of(result)
        if hidden == OWN:
            of_eta.setdefault((k, int(result["batch"])), {}).setdefault(seed, []).append((eta, result["fd"]))
        if result["batch"] == AT_WIDTH[0] and math.isclose(eta, AT_WIDTH[1], rel_tol=0.01):
            of_width.setdefault((k, hidden), {})[seed] = math.log(result["fd"])
    lines = ["| k | batch | η of least FD | 95 % interval |", "|---|---|---|---|"]
    least_of: dict[int, dict[int, dict[int, float]]] = {}
    for (k, batch), seeds in sorted(of_eta.items()):
        complete = {seed: least(np.array(points)) for seed, points in seeds.items() if len(points) == len(ETAS)}
        if complete:
            least_of.setdefault(k, {})[batch] = complete
            lines.append(f"| {k} | {batch} | {interval(np.array([*complete.values()]))} |")
    lines += ["", "| k | factor of η for twice the batch | 95 % interval |", "|---|---|---|"]
    for k, by_batch in least_of.items():
        seeds_of_all = set.intersection(*(set(found) for found in by_batch.values()))
        logs = np.log2(list(by_batch))
        slopes = [np.polyfit(logs, [found[seed] for found in by_batch.values()], 1)[0] for seed in sorted(seeds_of_all)]
        if len(logs) > 1 and slopes:
            lines.append(f"| {k} | {interval(np.array(slopes))} |")
    lines += ["", f"| k | units | FD over that of {OWN} units | 95 % interval |", "|---|---|---|---|"]
    for (k, hidden), fds in sorted(of_width.items()):
        own = of_width.get((k, OWN), {})
        if hidden != OWN and (paired := [fds[seed] - own[seed] for seed in sorted(fds.keys() & own.keys())]):
            lines.append(f"| {k} | {hidden} | {interval(np.array(paired))} |")
    return "\n".join(lines)


def by_eta(results: Sequence[Result]) -> Figure:
    """FD, KS and error over η, a row for each k and a colour for each batch: a dot per seed, the line of means."""
    of_own = [one for one in results if hidden_of(one) == OWN]
    sizes, batches = (sorted({int(one[name]) for one in of_own}) for name in ("k", "batch"))
    scores = {"fd": "FD (mnist_cnn)", "ks": "KS to N(0, 1)", "mse": "MSE/value"}
    figure = Figure(figsize=(12, 3.4 * len(sizes)), layout="constrained")
    panels = figure.subplots(len(sizes), len(scores), squeeze=False)
    for (row, k), (column, (score, says)) in product(enumerate(sizes), enumerate(scores.items())):
        axes = panels[row][column]
        for index, batch in enumerate(batches):
            mine = [one for one in of_own if (one["k"], one["batch"]) == (k, batch)]
            over_log(axes, [(round(eta_of(one), 1), one[score]) for one in mine], f"C{index}", f"batches of {batch:,}")
        axes.set(xlabel="η", ylabel=says, title=f"k = {k}")
    panels[0][0].legend(frameon=False, fontsize=8)
    return figure


def by_width(results: Sequence[Result]) -> Figure:
    """FD and DPC over the units of the receiver, a dot per seed and the line of means; and DPC of Gaussian latents."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, score, says in zip(figure.subplots(1, 2), ("fd", "dpc"), ("FD (lite0)", "DPC"), strict=True):
        over_log(axes, [(hidden_of(one), one[score]) for one in results])
        if score == "dpc":
            axes.axhline(results[0]["dpc_null"], color="k", ls="--", lw=1, label="a Gaussian sample of the same size")
            axes.legend(frameon=False, fontsize=8, loc="lower left")
        axes.set(xlabel="hidden units of the jammed receiver", ylabel=says)
    return figure


def over_log(axes: Axes, points: Sequence[tuple[float, float]], colour: str = "C0", label: str | None = None) -> None:
    """A dot for each of some points ``(x, value)``, and the line of means, over the logarithm of x."""
    values: dict[float, list[float]] = {}
    for x, value in sorted(points):
        values.setdefault(x, []).append(value)
    axes.plot(*zip(*points, strict=True), f"{colour}.", alpha=0.5)
    axes.plot([*values], [np.mean(mine) for mine in values.values()], f"{colour}o-", ms=4, label=label)
    axes.set(xscale="log", xticks=[*values])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)


def hidden_of(result: Result) -> int:
    """The hidden units of the jammer's receiver."""
    return int(dict(Method.parse(result["method"]).options)["hidden"])


def eta_of(result: Result) -> float:
    """The weight as the paper has it."""
    return float(result["weight"] * DIGIT / result["k"])


def of_few_words(words: Points) -> float:
    """The mean of Henze and Zirkler's statistic over disjoint parts of the words."""
    return float(np.mean([hz(part) for part in np.array_split(words, max(1, len(words) // FEW_WORDS))]))


def table_of_few_words(results: Sequence[Result]) -> str:
    """The same of all methods, and of Gaussian latents, mean and spread."""
    found: dict[str, list[float]] = {}
    for result in results:
        found.setdefault(str(result["method"]), []).append(result["hz_of_few"])
        found.setdefault("N(0, I)", []).append(result["hz_of_few_null"])
    lines = [f"| method | HZ of {FEW_WORDS:,} words |", "|---|---|"]
    for name, values in sorted(found.items(), key=lambda item: item[0] == "N(0, I)"):  # the Gaussian comes last
        spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
        lines.append(f"| {name} | {np.mean(values):.3f}{spread} |")
    return "\n".join(lines)


def of_wide_draws(results: Mapping[str, Result], studies: Mapping[str, Study], out: Path) -> str:
    """FD of images decoded from draws some times as wide as the prior's, mean over the seeds whose models are here."""
    found: dict[str, list[list[float]]] = {}
    for name, result in results.items():
        if recall(studies[name], out / name) is None:
            continue
        with seeded(int(result["seed"])):
            draws = torch.randn(int(result["judged"]), int(result["k"]))
        beside = reference_of(studies[name])
        model = load_model(out / name)
        sets = (generated(model, width * draws) for width in WIDTHS)
        row = [beside.distances(images, subsets=1)[beside.extractor.frechet] for images in sets]
        found.setdefault(str(result["method"]), []).append(row)
    lines = [f"| FD, draws times | {' | '.join(map(str, WIDTHS))} |", "|---" * (len(WIDTHS) + 1) + "|"]
    for method, rows in found.items():
        lines.append(f"| {method} | {' | '.join(f'{value:.2f}' for value in np.mean(rows, 0))} |")
    return "\n".join(lines)


def main() -> None:
    """Run a part and print its tables."""
    options = parser(__doc__, PARTS, "model")
    options.add_argument("--widths", action="store_true", help="FD of draws of other widths too")
    asked = options.parse_args()
    studies: dict[str, Study] = {}
    groups: dict[str, str] = {}
    for seed in range(asked.seed, asked.seed + asked.seeds):
        for group, study in PARTS[asked.part](seed):
            if asked.quick:
                schedule = Schedule(1, study.schedule.batch, bf16=study.schedule.bf16)
                study = Study(**{**vars(study), **QUICK, "schedule": schedule})
            name = str(Path(asked.part, group, study.name))
            studies[name], groups[name] = study, group
    record = asked.out / "quick.jsonl" if asked.quick else RECORD
    results = run(studies, attempt, asked.out, record, aside=ASIDE, minutes=asked.minutes, processes=asked.processes)
    everything = list(results.values())
    for group in dict.fromkeys(groups.values()):
        if told := {name: result for name, result in results.items() if groups[name] == group}:
            of_group = list(told.values())
            parts = (f"\n### {asked.part} {group}", table(of_group), table_of_few_words(of_group))
            print(*parts, *([of_wide_draws(told, studies, asked.out)] if asked.widths else []), sep="\n\n", flush=True)
    if missing := len(studies) - len(results):
        print(f"\n{missing} of {len(studies)} models are missing: the same command goes on")
    if asked.part == "rule" and results:
        print(f"\n{eta_rule(everything)}")
        save_figure(by_eta(everything), asked.out / "rule.png")
    if asked.part == "capacity" and results:
        save_figure(by_width(everything), asked.out / "capacity.png")
    if asked.part == "frontier" and results:
        print(f"\n{compare(everything)}")
        save_figure(trade_off(by_weight(everything)), asked.out / "frontier.png")


if __name__ == "__main__":
    main()
