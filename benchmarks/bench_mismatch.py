"""Which regulariser sees which departure from N(0, I), and which metric does.

Why: a penalty that does not rise where the latents are wrong cannot put them right, and a metric that stays at its null
value cannot tell. In 16 dimensions one or two coordinates are spoiled, each left with mean zero and variance one:

gaussian     nothing is, by another seed: what is found here is noise
curved       z2 + a (z1² − 1), a = 0.5: uncorrelated, but z2 is known in part from z1
two-mode     z1 is near one of two points, three standard deviations from each other's middle
heavy-tailed z1 follows Student's law of 4 degrees of freedom
correlated   z1 and z2 have correlation 0.5

Each regulariser is taught five times from scratch on fresh batches of the spoiled law, its player learning as in
training, and each time asked for its penalty, in training mode but learning nothing, on 80 more. The score is the
detectability index d': the rise over its penalty for Gaussian latents, after the same lessons on those, in standard
deviations over batches of 512 and over players, the root mean square of both laws'. So it says what one batch shows to
a player whose lessons were its own. (The deviation of the null law alone would not do: a discriminator that has learned
to say nothing has next to none.) The column of the Gaussian shows the score's error. Metrics are of 4,096 latents, over
their null values.

    python benchmarks/bench_mismatch.py [REGULARISER ...] [--seeds 1] [--quick]
"""

import argparse
import math
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import torch
from torch import Tensor

from jscc_sim.gaussianity import LATENT, latent_metrics
from jscc_sim.regularisers import REGULARISERS, VAE, Regulariser
from jscc_sim.seeds import seeded

DIM, LATENTS, BATCH, LESSONS, PLAYERS, LOOKS = 16, 4096, 512, 500, 5, 80
CURVATURE, CORRELATION, DEGREES, MODE = 0.5, 0.5, 4.0, math.sqrt(0.9)
# The logarithm of a variance that a VAE's encoder may well give.
LOG_VARIANCE = -4.0

Spoil = Callable[[Tensor], Tensor]


def curved(z: Tensor) -> Tensor:
    """A parabola in the second coordinate."""
    bent = (z[:, 1] + CURVATURE * (z[:, 0].square() - 1)) / math.sqrt(1 + 2 * CURVATURE**2)
    return torch.cat((z[:, :1], bent[:, None], z[:, 2:]), 1)


def two_mode(z: Tensor) -> Tensor:
    """Two narrow modes in the first coordinate."""
    modes = MODE * (torch.randint(2, (len(z), 1)) * 2 - 1) + math.sqrt(1 - MODE**2) * z[:, :1]
    return torch.cat((modes, z[:, 1:]), 1)


def heavy_tailed(z: Tensor) -> Tensor:
    """Student's law in the first coordinate."""
    squares = torch.distributions.Chi2(DEGREES).sample((len(z), 1))
    return torch.cat((z[:, :1] * (DEGREES / squares).sqrt() * math.sqrt(1 - 2 / DEGREES), z[:, 1:]), 1)


def correlated(z: Tensor) -> Tensor:
    """One correlated pair."""
    second = CORRELATION * z[:, :1] + math.sqrt(1 - CORRELATION**2) * z[:, 1:2]
    return torch.cat((z[:, :1], second, z[:, 2:]), 1)


PLANTED: Mapping[str, Spoil] = {
    "gaussian": lambda z: z,
    "curved": curved,
    "two-mode": two_mode,
    "heavy-tailed": heavy_tailed,
    "correlated": correlated,
}


def made(name: str) -> Regulariser:
    """The regulariser as its class makes it for so many dimensions."""
    if name == "vae":
        return VAE(784)
    make: Callable[..., Regulariser] = REGULARISERS[name]
    default: Callable[[int], Regulariser] | None = getattr(make, "default", None)
    return default(DIM) if default else make()


def latents(regulariser: Regulariser, spoil: Spoil) -> Tensor:
    """A batch as this regulariser wants it: with variances for a VAE."""
    z = spoil(torch.randn(BATCH, DIM))
    missing = regulariser.width(DIM) - DIM
    return regulariser.norm(torch.cat((z, torch.full((len(z), missing), LOG_VARIANCE)), 1))


def penalties(name: str, spoil: Spoil, lessons: int) -> list[float]:
    """Of fresh batches, when the regulariser's player has learned; of several players."""
    found = []
    for _ in range(PLAYERS):
        regulariser = made(name)
        for _ in range(lessons if hasattr(regulariser, "learner") else 0):
            regulariser(latents(regulariser, spoil))
        with torch.no_grad():
            found += [float(regulariser.penalty(latents(regulariser, spoil))) for _ in range(LOOKS)]
    return found


def scores(name: str, lessons: int, seed: int) -> Iterator[float]:
    """The detectability index of each planted law."""
    with seeded(seed):
        null = penalties(name, PLANTED["gaussian"], lessons)
    for number, spoil in enumerate(PLANTED.values()):
        with seeded(10**6 + 1000 * seed + number):
            found = penalties(name, spoil, lessons)
        rise = statistics.mean(found) - statistics.mean(null)
        spread = math.sqrt((statistics.variance(found) + statistics.variance(null)) / 2)
        yield rise / spread if spread > 0 else math.copysign(math.inf, rise) if rise else 0.0


def ratios(spoil: Spoil, seed: int) -> dict[str, float]:
    """Each metric over its null value."""
    with seeded(2 * 10**6 + seed):
        found = latent_metrics(spoil(torch.randn(LATENTS, DIM)).numpy())
    return {name: found[name] / found[f"{name}_null"] for name in LATENT}


def cell(values: Sequence[float], form: str) -> str:
    """The mean, with the spread of several seeds."""
    spread = f" ± {statistics.stdev(values):{form}}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{spread}"


def print_row(*cells: str) -> None:
    """One line of a Markdown table, at once."""
    print("|", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Print a table of penalties, then one of metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="REGULARISER", help=f"of {', '.join(REGULARISERS)}  [all]")
    parser.add_argument("--seeds", type=int, default=1, help="of each cell  [1]")
    parser.add_argument("--quick", action="store_true", help="few lessons: only shows that all runs")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in REGULARISERS]:
        parser.error(f"no regulariser is called {unknown[0]!r}: choose from {', '.join(REGULARISERS)}")
    seeds = range(asked.seeds)
    print(f"## Penalties: detectability over batches of {BATCH}\n")
    print_row("regulariser", *PLANTED)
    print_row(*["---"] * (1 + len(PLANTED)))
    for name in asked.names or REGULARISERS:
        lists = zip(*(scores(name, 5 if asked.quick else LESSONS, seed) for seed in seeds), strict=True)
        print_row(name, *(cell(values, ".1f") for values in lists))
    print(f"\n## Metrics of {LATENTS} latents over their null values\n")
    measured = {name: [ratios(spoil, seed) for seed in seeds] for name, spoil in PLANTED.items()}
    print_row("metric", *PLANTED)
    print_row(*["---"] * (1 + len(PLANTED)))
    for metric in LATENT:
        print_row(metric, *(cell([found[metric] for found in measured[name]], ".2f") for name in PLANTED))


if __name__ == "__main__":
    main()
