"""Images as bits over binary channels: the table beside the published ones, and every code under attack.

Why: a code is worth what it does on all test images, over many draws of the channel, with weights that were selected on
validation images alone; and a paper that is called adversarial must be tested against an adversary.

source    MNIST, 8 to 64 bits without errors: source codes, for the line of separation in the figure of mnist
mnist     MNIST, 100 bits, BSC .1 to .4: the codec that is best on validation images, with encoder search
quick     the same with the preset quick at .1, as all others but cifar and those of the paper's net
binary    MNIST in black and white, 100 bits, BSC .1 to .4
fashion   Fashion-MNIST, 100 bits, BSC .1 and .2
cifar     CIFAR-10, 500 bits, BSC .1 and .2, by convolutions
paper     MNIST, BSC .1 and .2: NECST, ABF, infomax, IABF and straight through with the paper's net, as many epochs
          each; at .1 also straight through against 5 and 10 steepest flips of a word; and over BEC .1 NECST, infomax
          and straight through, the last against 5 flips as well
whole     the same at .1 for all the paper's epochs: NECST, ABF and IABF, 35 to 45 CPU minutes each
weights   with the epochs of paper again: IABF whose information weighs .001 and .1, where there it is .01
bec       MNIST, 100 bits, BEC .1 to .5
attacked  MNIST, .1: codecs that learned against 5 and 10 steepest flips of a word, behind errors and erasures
small     MNIST, 10 bits, BSC .1: all objectives, and against one flip; all patterns of flips are tried
all       one after the other

Of every codec it is measured what random, steepest and greedy flips of 5 and 10 % of a word's symbols do, what the best
receivers of its words would reach, here and at other levels of the channel, how much its words tell of images and how
dependent their symbols are, and what a linear probe reads. Each codec is kept in OUT/PART, and its result also as a
line of the record beside this file, which many machines can add to: what is in the record is not repeated. With
--minutes no codec is begun after so many; the tables are of what is finished, and say what is missing. The part mnist
ends with OUT/bits_distortion.png, all lines in one figure, bec with OUT/bits_erasures.png, paper with
OUT/bits_stability.png, and whole with OUT/bits_stability_whole.png.

    python benchmarks/bench_bits.py PART --out DIR [--seeds 3] [--minutes M] [--processes 2] [--quick]
"""

import os
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
from matplotlib.figure import Figure
from record import Result, cell, parser, parts_of, recorded, rounded, run

from channels import ATTACKS
from jscc_sim.bits import OBJECTIVES, PRESETS, Recipe, Study, distortion, finish, flat, load_binary
from jscc_sim.bits.exhibits import LEVELS, SSE, Lines, finely, limits, published
from jscc_sim.bits.scrutiny import amortisation, attacked, information, probed, risks
from jscc_sim.plot import distortion_curves, stability
from jscc_sim.plot import save as save_figure
from jscc_sim.theory.image_codes import PAPER, hyperplanes, separation_distortion

RECORD = Path(__file__).with_name("bits.jsonl")
# Of a result, what the record leaves out.
LEFT_OUT = ("curve",)
FLIPS, ERASURES = (0.1, 0.2, 0.3, 0.4), (0.1, 0.2, 0.3, 0.4, 0.5)
FULL_BITS = 100
MINUTES = PRESETS["quick"]
# As in the paper, but for the number of epochs: the same for all.
BUDGET = replace(PRESETS["paper"], epochs=25, selections=25)
# Words of so few symbols that all patterns of flips are tried; and images for that, and for greedy flips of long words.
FEW_BITS, BUDGETS, FEW = 10, (1, 2, 3), 500
# Of source codes, and of the figure's grid.
SOURCE_BITS, GRID = (8, 16, 24, 32, 40, 48, 64), LEVELS["flip"][0]
QUICK = {"images": 1000, "judged_images": 100, "recipe": Recipe("paper", epochs=1)}
# What a table shows, and by what name.
COLUMNS = {
    "SSE": "test_sse",
    "SSE, sampled": "test_sse_sampled",
    "SSE, searched": "test_sse_searched",
    "nats/pixel": "test_nats",
    "SSE, validation": "valid_sse",
    "CPU s": "cpu_seconds",
    "of search": "searching_seconds",
}
SCRUTINY = {
    "ΣH(Y), sampled": "entropy_sampled",
    "ΣH(Y) given X": "conditional_sampled",
    "TC": "correlation_sampled",
    "ΣH(Y), argmax": "entropy_argmax",
    "TC, argmax": "correlation_argmax",
    "net": "net_unseen",
    "posterior mean over training codes": "bayes_unseen",
    "additive kernel": "kernel_unseen",
    "net, training images": "net_known",
    "posterior mean, the same": "bayes_known",
    "probe": "probe",
}


def mnist(seed: int) -> Iterator[Study]:
    """The best codec at each crossover."""
    yield from (Study(at=flip, seed=seed, search=True) for flip in FLIPS)


def quick(seed: int) -> Iterator[Study]:
    """The one of minutes."""
    yield Study(recipe=MINUTES, seed=seed)


def binary(seed: int) -> Iterator[Study]:
    """Black and white."""
    yield from (Study("binary-mnist", at=flip, recipe=MINUTES, seed=seed) for flip in FLIPS)


def fashion(seed: int) -> Iterator[Study]:
    """Clothes."""
    yield from (Study("fashion-mnist", at=flip, recipe=MINUTES, seed=seed) for flip in FLIPS[:2])


def cifar(seed: int) -> Iterator[Study]:
    """Colour."""
    yield from (Study("cifar10", 500, at=flip, recipe=PRESETS["conv"], seed=seed) for flip in FLIPS[:2])


def paper(seed: int) -> Iterator[Study]:
    """Objectives side by side."""
    for flip in FLIPS[:2]:
        yield from (Study(at=flip, objective=name, recipe=BUDGET, seed=seed) for name in OBJECTIVES)
    yield from (Study(channel="bsc-flip", flips=flips, recipe=BUDGET, seed=seed) for flips in (5, 10))
    for name in ("necst", "infomax", "straight-through"):
        yield Study(channel="bec", objective=name, recipe=BUDGET, seed=seed)
    yield Study(channel="bec-flip", flips=5, recipe=BUDGET, seed=seed)


def whole(seed: int) -> Iterator[Study]:
    """As long as the paper."""
    yield from (Study(objective=name, recipe=PRESETS["paper"], seed=seed) for name in ("necst", "abf", "iabf"))


def weights(seed: int) -> Iterator[Study]:
    """Information against error."""
    for flip in FLIPS[:2]:
        for weight in (0.001, 0.1):
            yield Study(at=flip, objective=f"iabf(infomax={weight})", recipe=BUDGET, seed=seed)


def bec(seed: int) -> Iterator[Study]:
    """Erasures."""
    yield from (Study(channel="bec", at=erased, recipe=MINUTES, seed=seed) for erased in ERASURES)


def attacked_in_training(seed: int) -> Iterator[Study]:
    """Against flips."""
    for channel in ("bsc-flip", "bec-flip"):
        yield from (Study(channel=channel, flips=flips, recipe=MINUTES, seed=seed) for flips in (5, 10))


def small(seed: int) -> Iterator[Study]:
    """Few bits."""
    yield from (Study(bits=FEW_BITS, objective=name, recipe=MINUTES, seed=seed) for name in OBJECTIVES)
    yield Study(bits=FEW_BITS, channel="bsc-flip", flips=1, recipe=MINUTES, seed=seed)


def source(seed: int) -> Iterator[Study]:
    """No errors."""
    yield from (Study(bits=bits, at=0.0, recipe=MINUTES, seed=seed) for bits in SOURCE_BITS)


PARTS = {
    "source": source,
    "mnist": mnist,
    "quick": quick,
    "binary": binary,
    "fashion": fashion,
    "cifar": cifar,
    "paper": paper,
    "whole": whole,
    "weights": weights,
    "bec": bec,
    "attacked": attacked_in_training,
    "small": small,
}


def attempt(study: Study, folder: Path) -> dict[str, Any]:
    """What the record is to hold of a study, trained and measured unless it is finished."""
    parts = parts_of(study.data)
    result = finish(study, parts, folder)
    codec, known, images = load_binary(folder), study.train(parts), study.judged(parts.test)
    nature = study.link.nominal
    few = images[:FEW]
    if study.bits == FEW_BITS:
        result |= attacked(codec, nature, few, [*ATTACKS], BUDGETS)
    else:
        result |= attacked(codec, nature, images, ("random", "steepest"))
        result |= attacked(codec, nature, images if study.bits <= FULL_BITS else few, ("greedy",))
    result |= amortisation(codec, nature, known, images) | information(codec, known, images)
    result["probe"] = probed(codec, parts.train, parts.test)
    levels = [nature.at(level) for level in GRID]
    result["mismatch"] = [round(distortion(codec, level, images, draws=1, squared=True).mean, 4) for level in levels]
    result["risks"] = [round(risk, 4) for risk in risks(codec, levels[::2], known)]
    return rounded(result, LEFT_OUT)


def table(results: Sequence[Result], columns: Mapping[str, str]) -> str:
    """A row per channel and objective, mean ± spread over its seeds, of the columns that there are."""
    shown = {heading: name for heading, name in columns.items() if any(name in result for result in results)}
    lines = [f"| channel | objective | {' | '.join(shown)} |", "|---" * (len(shown) + 2) + "|"]
    for channel, objective in dict.fromkeys(map(kind, results)):
        mine = [result for result in results if kind(result) == (channel, objective)]
        cells = [entry([result[name] for result in mine if name in result]) for name in shown.values()]
        lines.append(f"| {channel} | {objective} | {' | '.join(cells)} |")
    return "\n".join(lines)


def kind(result: Result) -> tuple[str, str]:
    """What a row is of."""
    flips = "" if result["flips"] is None else f", {result['flips']} flips"
    return f"{result['bits']} bits, {result['channel']} {result['at']:g}{flips}", result["objective"]


def entry(values: Sequence[float]) -> str:
    """Mean ± standard deviation over seeds, by so many digits as the mean suggests."""
    if not values:
        return "–"
    return cell(values, 0 if np.mean(values) >= 100 else 2 if np.mean(values) >= 1 else 4)


def least(results: Sequence[Result]) -> str:
    """``R(ε)``, the error of training images by the best receiver of their words, over the channel's levels."""
    names = [f"R({level:g})" for level in GRID[::2]]
    rows = [{**result, **dict(zip(names, result["risks"], strict=True))} for result in results]
    return table(rows, dict(zip(names, names, strict=True)))


def of_papers(results: Sequence[Result]) -> str:
    """The papers' points for the same set and bits, of black-and-white images in nats per pixel."""
    points = PAPER.get(results[0]["data"], {}).get(results[0]["bits"], {})
    lines = ["| published | " + " | ".join(f"{flip:g}" for flip in FLIPS) + " |", "|---" * (len(FLIPS) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(f'{of[flip]:g}' for flip in FLIPS)} |" for name, of in points.items()]
    return "\n".join(lines) if points else ""


def lines(source_codes: Sequence[Result]) -> Lines:
    """What to hold 100 bits of MNIST against: no network, Gaussian limits and, with source codes, separation."""
    parts = parts_of("mnist")
    train, test = (flat(part).double().numpy() for part in (parts.train, parts.test))
    found = limits(Study(), parts.train, finely(GRID))
    without = hyperplanes(train, test, FULL_BITS, GRID).distortion
    found["hyperplanes and LMMSE receiver, no network"] = list(zip(GRID, without.tolist(), strict=True))
    if source_codes:
        codes, lost = {one["bits"]: one["test_sse"] for one in source_codes}, found["mean image"][0][1]
        separate = [(flip, separation_distortion(codes, FULL_BITS, flip, lost=lost).distortion) for flip in GRID]
        found["learned source code, random channel code, a genie tells errors"] = separate
    return found


def over_flips(results: Sequence[Result]) -> Figure:
    """The codecs of the first seed, with all lines."""
    sources = {str(Path("source", study.name)): study for study in source(first_seed(results))}
    beside = lines(list(recorded(sources, RECORD).values()))
    return drawn(results, beside, Study(), "crossover probability")


def first_seed(results: Sequence[Result]) -> int:
    """Of results."""
    return min(result["seed"] for result in results)


def over_erasures(results: Sequence[Result]) -> Figure:
    """The codecs of the first seed, with the Gaussian limit; the mean image would be far above."""
    study = Study(channel="bec")
    beside = limits(study, parts_of("mnist").train, finely(GRID))
    del beside["mean image"]
    return drawn(results, beside, study, "erasure probability")


def drawn(results: Sequence[Result], beside: Lines, study: Study, knob: str) -> Figure:
    """What codecs of the first seed do over the channel that they learned for and over others."""
    first = first_seed(results)
    mine = [result for result in results if result["seed"] == first]
    measured = {"trained at each": [(result["at"], result["test_sse"]) for result in mine]}
    if all("test_sse_searched" in result for result in mine):
        measured["the same, encoder search"] = [(result["at"], result["test_sse_searched"]) for result in mine]
    measured |= {f"trained at {one['at']:g}": list(zip(GRID, one["mismatch"], strict=True)) for one in mine}
    title = f"{study.data}, {study.bits} bits"
    return distortion_curves(measured, beside, published(study), knob=knob, unit=SSE, title=title)


def over_epochs(results: Sequence[Result]) -> Figure:
    """How validation errors went, by objective, at the first crossover."""
    found: dict[str, list[Mapping[int, float]]] = {}
    for result in results:
        if result["at"] == FLIPS[0] and result["channel"] == "bsc":
            tried = {int(epoch): error for epoch, error in result["tried"].items()}
            found.setdefault(result["objective"], []).append(tried)
    return stability(found)


def main() -> None:
    """Run a part, or all of them in the time that there is, and print their tables."""
    asked, start = parser(__doc__, [*PARTS, "all"], "codec").parse_args(), time.time()
    for part in PARTS if asked.part == "all" else [asked.part]:
        print(f"\n{part}", flush=True)
        conduct(part, asked, asked.minutes - (time.time() - start) / 60)


def conduct(part: str, asked: Namespace, minutes: float) -> None:
    """Run a part, no codec of it begun after so many minutes, and print its tables."""
    studies: dict[str, Study] = {}
    for seed in range(asked.seed, asked.seed + asked.seeds):
        for study in PARTS[part](seed):
            told = replace(study, **QUICK) if asked.quick else study
            name = str(Path(part, told.name))
            if name in studies:
                raise ValueError(f"two studies are called {name}")
            studies[name] = told
    record = asked.out / "quick.jsonl" if asked.quick else RECORD
    found = run(studies, attempt, asked.out, record, minutes=minutes, processes=asked.processes)
    if results := list(found.values()):
        show(results)
        if not (asked.quick and part == "mnist"):  # whose lines are of codecs on all images
            draw(part, results, asked.out)
    if missing := len(studies) - len(results):
        print(f"\n{missing} of {len(studies)} codecs are missing: the same command goes on")


def show(results: Sequence[Result]) -> None:
    """Print the tables of a part."""
    shared = [name for name in results[0] if all(name in result for result in results)]
    attacks = {name: name for name in shared if "-" in name and name.partition("-")[0] in ATTACKS}
    for columns in filter(None, (COLUMNS, attacks, SCRUTINY)):
        print(f"\n{table(results, columns)}")
    print(f"\n{least(results)}")
    if results[0]["channel"] == "bsc":
        print(f"\n{of_papers(results)}")


def draw(part: str, results: Sequence[Result], out: Path) -> None:
    """Save the figure of a part that has one."""
    if part == "mnist":
        save_figure(over_flips(results), out / "bits_distortion.png")
    if part == "bec":
        save_figure(over_erasures(results), out / "bits_erasures.png")
    if part in ("paper", "whole"):
        save_figure(over_epochs(results), out / f"bits_stability{'_whole' * (part == 'whole')}.png")


if __name__ == "__main__":
    main()
