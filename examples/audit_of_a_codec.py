"""An audit of a codec before and after it is mended: what looks harmless in noise falls to rare, large pulses.

Writes audit_of_a_codec.png: the error that each jammer of one power causes, with its 95 % interval. The codec sends
roots and squares what it receives, so that an error grows with the fourth power of a pulse; the mended one limits what
it believes. Jamming in closed form hardly tells the two apart.
"""

import argparse

import torch
from matplotlib.figure import Figure
from torch import Tensor

from channels import MemorylessChannel, from_decibels
from jscc_sim.attack import Audit, attack
from jscc_sim.attack.report import lines
from jscc_sim.codecs import Codec
from jscc_sim.sources import Gaussian

NOISE_POWER = from_decibels(-20)
JAM_POWER = from_decibels(-20)


class Companded(Codec):
    """``x = c sign(u) √|u|``, ``û = sign(y) (y/c)²``, no larger than ``limit``."""

    gain = (2 / torch.pi) ** -0.25  # E|u| = √(2/π)

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.k = self.n = 1
        self.limit = limit

    def encode(self, u: Tensor) -> Tensor:
        """Roots."""
        return self.gain * u.sign() * u.abs().sqrt()

    def decode(self, y: Tensor, law: MemorylessChannel) -> Tensor:
        """Squares, limited."""
        return y.sign() * (y / self.gain).square().clamp(max=self.limit)

    def extra_repr(self) -> str:
        """The limit."""
        return f"limit={self.limit!r}"


def draw(audits: dict[str, Audit]) -> Figure:
    """A line per attack, a colour per codec."""
    figure = Figure(figsize=(7.6, 5.0), layout="constrained")
    axes = figure.subplots()
    for number, (name, audit) in enumerate(audits.items()):
        for place, row in enumerate(audit.rows):
            harm, height = row.measured.harm, place + 0.12 - 0.24 * number
            bars = [[harm.mean - harm.low], [harm.high - harm.mean]]
            mark = "D" if row.kind == "worst" else "x" if row.kind == "informed" else "o"
            label = name if place == 1 else None
            axes.errorbar(harm.mean, height, xerr=bars, fmt=mark, ms=5, capsize=3, color=f"C{number}", label=label)
    rows = next(iter(audits.values())).rows
    names = [f"{row.name} (sees x)" if row.kind == "informed" else row.name for row in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="mean-square error per symbol", title="Jammers of one power, SJR = SNR = 20 dB")
    axes.grid(alpha=0.3, axis="x", which="both")
    axes.legend(loc="upper right")
    return figure


def main() -> None:
    """Audit both codecs, print each audit with its flags, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer words and steps")
    parser.add_argument("--out", default="audit_of_a_codec.png")
    arguments = parser.parse_args()
    codecs = {"squares what it receives": Companded(1e9), "limits what it believes": Companded(4.0)}
    audits = {
        name: attack(codec, Gaussian(1), JAM_POWER, NOISE_POWER, quick=arguments.quick)
        for name, codec in codecs.items()
    }
    for name, audit in audits.items():
        print(f"{name}:", *lines(audit), sep="\n")
    draw(audits).savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
