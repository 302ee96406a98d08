"""Clothes sent through four systems at three SNRs, with as many uses of the same power; and where one of them falls.

Writes four_systems_and_a_cliff.png. Left: what arrives by DeepJSCC, which learned at 7 dB; by the best linear codec at
each SNR; by a separate design for 7 dB, the best of JPEG, JPEG 2000 and WebP with an LDPC code on QAM; and by what such
files would do at capacity, with a new rate for each SNR. Right: PSNR over the SNR, with three separate designs that
stay as they are, each with its cliff. The first two learn from 800 images, DeepJSCC for less than a minute; 64 others
are sent.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from matplotlib.figure import Figure, SubFigure
from torch import Tensor

from channels import AWGN
from jscc_sim.codec_training import flat
from jscc_sim.codecs import KLT, DeepJSCC
from jscc_sim.data.parts import Part, Parts, load_parts
from jscc_sim.deepjscc import PRESETS, Training, send
from jscc_sim.metrics import peak_ratio
from jscc_sim.plot.pictures import show_pictures
from jscc_sim.seeds import seeded
from jscc_sim.separation import FORMATS, SIDE, Coded, Design, OverNoise, coded, decoded, designed, ideal
from jscc_sim.sources import Images

USES = 98  # complex ones of an image of 784 pixels: a bandwidth ratio of 1/8
SHOWN_DB = DESIGNS_DB = (1.0, 7.0, 13.0)
LEVELS_DB = np.arange(-5.0, 20.1, 2.5).tolist()
NEAR_DB = (-6.0, -2.0, -1.0, -0.5, -0.25, 0.0, 0.5, 2.0, 6.0)
COLUMNS = {"sent": "sent", "deep": "DeepJSCC", "linear": "linear", "fixed": "for 7 dB", "ideal": "at capacity"}
# Of the 64 that are sent.
SHOWN = 4


class Systems:
    """The four, each as images received at an SNR, and PSNR in dB over all that are sent."""

    def __init__(self, parts: Parts, epochs: int, blocks: int) -> None:
        self.pixels = parts.test.images[: SIDE**2]
        self.images, self.set = flat(Part(self.pixels)), Images("", parts.train.images)
        self.mean = parts.train.images.mean(0, dtype=float)
        self.codes: Sequence[Coded] = [coded(self.pixels, name, self.mean) for name in FORMATS]
        self.losses = OverNoise(lambda mode, snr_db: mode.lost_in_noise(snr_db, blocks))
        self.designs = {level: self.designed(level) for level in DESIGNS_DB}
        with seeded(0):
            self.codec = DeepJSCC((1, 28, 28), 2 * USES, "residual")
            recipe = replace(PRESETS["quick"], epochs=epochs, batch=32)
            training = Training(self.codec, AWGN(1.0), (7.0, 7.0), flat(parts.train), flat(parts.validation), recipe)
            for _ in training.run():
                pass

    def designed(self, snr_db: float) -> Design:
        """The separate design for an SNR."""
        found = designed(self.codes, USES, snr_db, self.losses)
        if found is None:
            raise ValueError(f"no mode carries anything at {snr_db:g} dB")
        return found

    def deep(self, snr_db: float) -> Tensor:
        """DeepJSCC."""
        return send(self.codec, AWGN(1.0).at(snr_db), self.images)

    @torch.no_grad()
    def linear(self, snr_db: float) -> Tensor:
        """The strongest components of the covariance, as real symbols, scaled to power one over what is sent."""
        channel = AWGN(1.0).at(snr_db)
        codec = KLT(self.set, channel.noise_power, 2 * USES)
        x = codec.encode(self.images)
        power = float(x.square().mean())  # not one: the codec's is, over the images that it learned from
        with seeded(0):
            return codec.decode(channel(x / power**0.5) * power**0.5, AWGN(channel.noise_power * power))

    def fixed(self, snr_db: float) -> Tensor:
        """The design for 7 dB; where most is lost, the mean image."""
        outcome = self.designs[7.0].at(snr_db, self.losses)
        return self.file(self.designs[7.0].code, outcome.budget if outcome.lost < 0.5 else 0.0)

    def ideal(self, snr_db: float) -> Tensor:
        """The best file at capacity."""
        outcome = ideal(self.codes, USES, snr_db)
        (code,) = (code for code in self.codes if code.format == outcome.format)
        return self.file(code, outcome.budget)

    def sent(self, snr_db: float) -> Tensor:
        """The images themselves."""
        return self.images

    def file(self, code: Coded, budget: float) -> Tensor:
        """What a file of so many bits to an image holds, or the mean image if there is none."""
        back = decoded(self.pixels, code, budget)
        mean = torch.from_numpy(self.mean).float().ravel() / 255
        return mean.expand_as(self.images) if back is None else flat(Part(back))

    def psnr(self, received: Tensor) -> float:
        """The mean over images."""
        errors = (received.clamp(0, 1) - self.images).square().mean(1)
        return float(np.mean([peak_ratio(error) for error in errors.tolist()]))


def show_pictures_of(figure: SubFigure, systems: Systems) -> None:
    """A block of rows for each SNR."""
    figure.suptitle(f"64 images of Fashion-MNIST, {USES} complex uses each; PSNR in dB of all")
    panels = figure.subplots(len(SHOWN_DB), len(COLUMNS), squeeze=False)
    for row, level in zip(panels, SHOWN_DB, strict=True):
        for axes, (name, title) in zip(row, COLUMNS.items(), strict=True):
            received = getattr(systems, name)(level)
            few = received[:SHOWN].clamp(0, 1).reshape(2, 2, 28, 28, 1).swapaxes(1, 2).reshape(56, 56, 1)
            show_pictures(axes, few.numpy())
            axes.set_title(title if name == "sent" else f"{title}: {systems.psnr(received):.1f}", fontsize=9)
        row[0].set_ylabel(f"SNR {level:g} dB")


def show_curves(figure: SubFigure, systems: Systems) -> None:
    """PSNR over the SNR."""
    axes = figure.subplots()
    for name, label in (("deep", "DeepJSCC, learned at 7 dB"), ("linear", "best linear codec")):
        curve = [(level, systems.psnr(getattr(systems, name)(level))) for level in LEVELS_DB]
        axes.plot(*zip(*curve, strict=True), "o-", ms=4, label=label)
        print(f"{label}: " + ", ".join(f"{psnr:.2f} at {level:g} dB" for level, psnr in curve))
    capacity = [ideal(systems.codes, USES, level).psnr for level in LEVELS_DB]
    axes.plot(LEVELS_DB, capacity, "k--", lw=1, label="best file at capacity, a rate for each SNR")
    for index, (designed_for, design) in enumerate(systems.designs.items()):
        near = [designed_for + step for step in NEAR_DB]
        levels = sorted({LEVELS_DB[0], *(level for level in near if -5 <= level <= 20), LEVELS_DB[-1]})
        values = [design.at(level, systems.losses).psnr for level in levels]
        label = f"{design.code.format}, {design.mode.name}: for {designed_for:g} dB"
        axes.plot(levels, values, "-", color=f"C{index + 2}", lw=1.4, label=label)
        print(f"{label}: {max(values):.2f} dB, falls to {min(values):.2f} dB")
    axes.set(
        xlabel="SNR = P/N per real use (dB)", ylabel="PSNR (dB)", title="Separate designs that stay as they are fall"
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def main() -> None:
    """Train, measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60, help="of DeepJSCC")
    parser.add_argument("--blocks", type=int, default=40, help="sent to measure how often one is lost")
    parser.add_argument("--out", default="four_systems_and_a_cliff.png")
    arguments = parser.parse_args()
    systems = Systems(load_parts(""), arguments.epochs, arguments.blocks)
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False).flat
    show_pictures_of(left, systems)
    show_curves(right, systems)
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
