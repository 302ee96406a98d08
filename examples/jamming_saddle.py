"""The saddle of the jamming game: every jammer law of one power is worth the same to the linear codec.

Writes jamming_saddle.png: measured errors of four jammers on Başar's exact curve, and of two that know more, which the
curve does not bind: one taps the line, one knows the source. A sign shared by transmitter and receiver brings the
latter back to the saddle.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from channels import (
    Channel,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    Policy,
    PulsedPolicy,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TwoPointPolicy,
    from_decibels,
)
from jscc_sim.case import Case
from jscc_sim.codecs import Linear
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.sources import Gaussian
from jscc_sim.theory.informed import exposed_payoff, tap_payoff
from jscc_sim.theory.saddle import scalar_payoff

SJR_DB = 3.0
LEVELS = range(0, 21, 4)


def measured(policy: Policy, rel_error: float, *, shared: bool = False) -> list[Row]:
    """The mean-square error of the linear codec at each SNR."""

    def channel(snr_db: float) -> Channel:
        jammer = Jammer(policy, 1.0, from_decibels(-SJR_DB)).at(snr_db)
        return SharedSign(jammer) if shared else jammer

    cases = [Case(Link(Gaussian(), Linear(), channel(snr_db)).eval(), {"snr_db": snr_db}) for snr_db in LEVELS]
    return list(sweep(cases, Budget(rel_error=rel_error)))


def curves(snr_db: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The exact values: jammers that know nothing, one that taps the line, one that knows the source."""
    noise, jam = 10 ** (-snr_db / 10), from_decibels(-SJR_DB)
    return {
        "J*, any jammer that does not see the signal": scalar_payoff(1, 1, jam, noise),
        "taps the line": tap_payoff(1, 1, jam, noise),
        "knows the source, no shared sign": exposed_payoff(1, jam, noise),
    }


def main() -> None:
    """Measure, print how far each jammer is from J*, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rel-error", type=float, default=0.01, help="half-width of the 95 %% interval over the error")
    parser.add_argument("--out", default="jamming_saddle.png")
    arguments = parser.parse_args()

    figure = Figure(figsize=(7.2, 5), layout="constrained")
    axes = figure.subplots()
    fine = np.linspace(LEVELS[0], LEVELS[-1], 200)
    for (name, values), colour in zip(curves(fine).items(), ("k", "C3", "C4"), strict=True):
        axes.plot(fine, values, color=colour, label=name)
    saddle = float(scalar_payoff(1, 1, from_decibels(-SJR_DB), from_decibels(-LEVELS[-1])))
    # Hollow marks of different sizes: the first four and the last lie on one another.
    for policy, mark, size, shared in (
        (GaussianPolicy(), "C0o", 3, False),
        (TwoPointPolicy(), "C1s", 7, False),
        (LaplacePolicy(), "C2^", 12, False),
        (PulsedPolicy(0.1), "C5v", 12, False),
        (TapPolicy(), "C3D", 6, False),
        (SourceAwarePolicy(), "C4o", 6, False),
        (SourceAwarePolicy(), "C6o", 17, True),
    ):
        rows = measured(policy, arguments.rel_error, shared=shared)
        name = type(policy).__name__.removesuffix("Policy") + (" behind a shared sign" if shared else "")
        print(f"{name}: {rows[-1].mean / saddle:.3f} of J* at {LEVELS[-1]} dB")
        means = [row.mean for row in rows]
        bars = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        label = f"{name}, measured"
        axes.errorbar(LEVELS, means, yerr=bars, fmt=mark, ms=size, mfc="none", capsize=3, label=label)
    axes.set(xlabel="SNR = P/N per real use (dB)", ylabel="mean-square error per symbol", ylim=(0, 1.6))
    axes.set_title(f"Jamming a linear codec at SJR {SJR_DB:g} dB, N(0, 1) source")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2, loc="upper right")
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
