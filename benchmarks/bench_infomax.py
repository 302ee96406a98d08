"""Noise-injected InfoMax on MNIST: what a linear probe finds in the latents, and how near they are to the prior.

Why: the noise is to buy the match. Without it two views that agree can be told apart by ever finer detail, and latents
of any law carry as much as Gaussian ones; with much of it a law's shape hardly matters, and detail is lost.

An encoder without a decoder learns from pairs of views, an image shifted by up to a pixel each way with a tenth of its
4 × 4 tiles black, to carry as much as it can through the noise (InfoNCE, with the critic that is exact for Gaussian
noise). Judged are the test images, without noise: HZ of Gaussian latents, or of uniform ones through the normal
quantile, and the accuracy of a logistic regression that was fitted to 10,000 training images. Beside them stands what
InfoNCE says of the information, in nats, which is at most log(batch) = 5.5, and its capacity.

    python benchmarks/bench_infomax.py [--seeds 3] [--json] [--out FILE.png] [--quick]
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from jscc_sim.autoencoders import FAMILIES
from jscc_sim.data.parts import Parts, load_parts
from jscc_sim.gaussianity import latent_metrics
from jscc_sim.image_metrics import planes
from jscc_sim.plot import save as save_figure
from jscc_sim.regularisers import CRITICS, GaussianLatents, NoiseInjection, UniformLatents
from jscc_sim.seeds import seeded

DIM, BATCH, STEPS, LR, RATE = 8, 256, 3000, 1e-3, 3e-3
SHIFT, TILE, HIDDEN = 1, 4, 0.1
PROBED, QUICK = 10_000, 100
# Standard deviations of Gaussian noise, and half-widths of uniform noise.
NOISES = {"gaussian": (0.1, 0.3, 0.5, 0.7, 1.0, 1.5), "uniform": (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)}
LATENTS = {"gaussian": GaussianLatents, "uniform": UniformLatents}

Row = dict[str, Any]


@lru_cache
def images() -> Parts:
    """MNIST, once per process."""
    return load_parts("mnist")


def view(x: Tensor) -> Tensor:
    """Another view of ``x (batch, 1, 28, 28)``: each image moved by up to `SHIFT` pixels each way, some tiles black."""
    size, wide = x.shape[-1], nn.functional.pad(x, [SHIFT] * 4)
    rows, columns = (torch.randint(2 * SHIFT + 1, (len(x), 1)) + torch.arange(size) for _ in range(2))
    moved = wide[torch.arange(len(x))[:, None, None], 0, rows[:, :, None], columns[:, None, :]]
    shown = (torch.rand(len(x), size // TILE, size // TILE) > HIDDEN).float()
    return (moved * shown.repeat_interleave(TILE, 1).repeat_interleave(TILE, 2))[:, None]


def learn(law: str, noise: float, seed: int, steps: int) -> Row:
    """Train an encoder under some noise, and judge its latents."""
    train, test = planes(images().train.images), planes(images().test.images)
    with seeded(seed):
        variance = noise**2 if law == "gaussian" else noise**2 / 3
        critic = CRITICS["bilinear"](DIM)  # whose weights grow to the inverse of the variance
        reg = NoiseInjection(LATENTS[law](DIM, noise), critic, weight=1.0, warmup=0, lr=RATE / variance)
        encoder, _ = FAMILIES["mlp"]((1, 28, 28), DIM, DIM)
        encoder = nn.Sequential(encoder, nn.BatchNorm1d(DIM))  # else a sigmoid starts where all latents are alike
        optimiser = torch.optim.Adam(encoder.parameters(), LR)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        said = []
        for _ in range(steps):
            x = train[torch.randint(len(train), (BATCH,))]
            loss = reg(*reg.norm(encoder(torch.cat((view(x), view(x))))).chunk(2))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            slower.step()
            said.append(-float(loss.detach()))
    reg.eval()
    encoder.eval()
    with torch.no_grad():
        seen, z = (reg.norm(encoder(part)) for part in (train[:PROBED], test))
        gaussian = reg.latents.as_gaussian(z).double().numpy()
    probe = LogisticRegression(max_iter=1000).fit(seen.numpy(), images().train.labels[:PROBED])
    metrics = latent_metrics(gaussian)
    return {
        "law": law,
        "noise": noise,
        "seed": seed,
        "information": float(np.mean(said[-len(said) // 10 :])),
        "capacity": reg.capacity,
        "accuracy": float(probe.score(z.numpy(), images().test.labels)),
        **{name: metrics[name] for name in ("hz", "hz_null", "ks", "ks_null", "energy_whitened", "dpc")},
    }


def table(rows: list[Row]) -> str:
    """A row per law and noise, mean ± standard deviation over seeds."""
    names = ("accuracy", "hz", "ks", "energy_whitened", "dpc", "information")
    lines = [f"| law | noise | {' | '.join(names)} | capacity |", "|---" * (len(names) + 3) + "|"]
    for law, noise in dict.fromkeys((row["law"], row["noise"]) for row in rows):
        mine = [row for row in rows if (row["law"], row["noise"]) == (law, noise)]
        cells = []
        for name in names:
            values = [row[name] for row in mine]
            cells.append(f"{np.mean(values):.4g}" + (f" ± {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""))
        lines.append(f"| {law} | {noise} | {' | '.join(cells)} | {mine[0]['capacity']:.2f} |")
    null = {name: rows[0][f"{name}_null"] for name in ("hz", "ks")}
    return "\n".join([*lines, f"\nOf a true Gaussian sample: HZ {null['hz']:.3f}, KS {null['ks']:.4f}."])


def draw(rows: list[Row]) -> Figure:
    """Accuracy against HZ, a line per law along the noise."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    for index, (law, noises) in enumerate(NOISES.items()):
        mine = [[row for row in rows if (row["law"], row["noise"]) == (law, noise)] for noise in noises]
        means = [[np.mean([row[name] for row in group]) for name in ("hz", "accuracy")] for group in mine if group]
        axes.plot(*np.transpose(means), "o-", color=f"C{index}", label=f"{law} noise")
        for noise, (hz, accuracy) in zip(noises, means, strict=True):
            axes.annotate(f"{noise:g}", (hz, accuracy), textcoords="offset points", xytext=(5, 4), fontsize=8)
        each = np.array([[row["hz"], row["accuracy"]] for group in mine for row in group])
        axes.plot(*each.T, ".", color=f"C{index}", ms=4, alpha=0.4)
    axes.axvline(rows[0]["hz_null"], color="k", ls="--", lw=1, label="a true Gaussian")
    axes.set(xscale="log", xlabel="HZ of the latents: left is nearer to the prior", ylabel="accuracy of a linear probe")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    return figure


def main() -> None:
    """Train all encoders, several at a time, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one object per encoder instead of the table")
    parser.add_argument("--out", type=Path, help="draw accuracy against HZ here")
    parser.add_argument("--processes", type=int, default=2, help="encoders at a time, each with one thread  [2]")
    parser.add_argument("--quick", action="store_true", help="few steps: only shows that all runs")
    asked = parser.parse_args()
    cases = [(law, noise, seed) for law in NOISES for noise, seed in product(NOISES[law], range(asked.seeds))]
    rows = []
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(learn, *case, QUICK if asked.quick else STEPS) for case in cases]
        for future in waiting:
            rows.append(future.result())
            if asked.json:
                print(json.dumps(rows[-1]), flush=True)
    if not asked.json:
        print(table(rows))
    if asked.out:
        save_figure(draw(rows), asked.out)


if __name__ == "__main__":
    main()
