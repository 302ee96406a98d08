"""Real images through the best linear codec under jamming, against the exact PSNR of their own covariance.

Writes images_under_jamming.png: four images, sent and received at three signal-to-jammer ratios, and the PSNR of the
whole set over the SJR. The mean-square error of a linear codec depends on second moments alone, so the curve is exact.
"""

import argparse

import numpy as np
import torch
from matplotlib.figure import Figure, SubFigure

from channels import GaussianPolicy, Jammer, from_decibels
from jscc_sim.case import Case
from jscc_sim.codecs import KLT
from jscc_sim.exact import exact_values
from jscc_sim.link import Link
from jscc_sim.metrics import peak_ratio
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.seeds import seeded
from jscc_sim.sources import Images

SNR_DB = 20.0
SHOWN_SJR_DB = (10, 0, -10)
MEASURED_SJR_DB = range(-10, 21, 5)


def link(images: Images, sjr_db: float) -> Link:
    """The codec that is best against this jammer, and the jammer."""
    jammer = Jammer(GaussianPolicy(), 1.0, from_decibels(-sjr_db)).at(SNR_DB)
    return Link(images, KLT(images, jammer.nominal.noise_power), jammer).eval()


def show_pictures(figure: SubFigure, images: Images) -> None:
    """Four images, sent and received."""
    figure.suptitle(f"sent, and received at SNR {SNR_DB:g} dB")
    panels = figure.subplots(4, 1 + len(SHOWN_SJR_DB), squeeze=False)
    with seeded(3), torch.no_grad():
        sent = images.draw(len(panels))
        columns = {"sent": sent}
        for sjr_db in SHOWN_SJR_DB:
            way = link(images, sjr_db)
            y, law = way.channel.transmit(way.codec.encode(sent))
            columns[f"SJR {sjr_db} dB"] = way.codec.decode(y, law)
    for column, (name, pictures) in zip(panels.T, columns.items(), strict=True):
        column[0].set_title(name, fontsize=10)
        for axes, picture in zip(column, pictures, strict=True):
            axes.imshow(picture.reshape(images.shape).clamp(0, 1), cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])


def measured(images: Images, rel_error: float) -> list[Row]:
    """The PSNR of the whole set at each SJR."""
    links = {sjr_db: link(images, sjr_db) for sjr_db in MEASURED_SJR_DB}
    cases = [Case(way, {"sjr_db": sjr_db}, exact_values(way)) for sjr_db, way in links.items()]
    return [row for row in sweep(cases, Budget(rel_error=rel_error)) if row.metric == "psnr_of_mse"]


def main() -> None:
    """Measure, print each PSNR beside its exact value, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="", help="mnist, fashion-mnist, cifar10 or a folder; a small set comes along")
    parser.add_argument("--rel-error", type=float, default=0.01, help="half-width of the 95 %% interval over the MSE")
    parser.add_argument("--out", default="images_under_jamming.png")
    arguments = parser.parse_args()
    images = Images(arguments.set)

    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False).flat
    show_pictures(left, images)

    axes = right.subplots()
    fine = np.linspace(MEASURED_SJR_DB[0], MEASURED_SJR_DB[-1], 31)
    exact = [peak_ratio(exact_values(link(images, float(sjr_db)))["mse"]) for sjr_db in fine]
    axes.plot(fine, exact, color="C0", label="exact, from the set's covariance")
    rows = measured(images, arguments.rel_error)
    for row in rows:
        print(f"SJR {row.labels['sjr_db']} dB: PSNR {row.mean:.3f} dB (exact {row.exact:.3f})")
    means = [row.mean for row in rows]
    bars = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
    axes.errorbar(MEASURED_SJR_DB, means, yerr=bars, fmt="C0o", ms=4, capsize=3, label="measured (95 %)")
    axes.set(xlabel="SJR = P/PA (dB)", ylabel="PSNR (dB)", title=f"{len(images.pixels)} images of {images.k} values")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
