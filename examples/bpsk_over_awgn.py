"""BPSK over AWGN against Q(√SNR), uncoded and repeated three times: the first figure of every textbook.

Writes bpsk_over_awgn.png: measured error rates with their 95 % intervals on the exact curves.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

from channels import AWGN
from jscc_sim.case import Case
from jscc_sim.codecs import Repetition
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.sources import Bits
from jscc_sim.theory.coding import bpsk_error
from jscc_sim.verify import verdict

LEVELS = range(-4, 11, 2)


def cases(times: int) -> list[Case]:
    """One case per SNR; repeating a bit n times gives it n times the SNR."""
    return [
        Case(
            Link(Bits(), Repetition(1, times), AWGN(1.0).at(snr_db)),
            labels={"snr_db": snr_db},
            exact={"ber": float(bpsk_error(times * 10 ** (snr_db / 10)))},
        )
        for snr_db in LEVELS
    ]


def main() -> None:
    """Measure, print each verdict, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rel-error", type=float, default=0.05, help="half-width of the 95 %% interval over the rate")
    parser.add_argument("--out", default="bpsk_over_awgn.png")
    arguments = parser.parse_args()

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    fine = np.linspace(LEVELS[0], LEVELS[-1], 200)
    for times, colour in ((1, "C0"), (3, "C1")):
        name = "uncoded" if times == 1 else f"repeated {times} times"
        axes.plot(fine, bpsk_error(times * 10 ** (fine / 10)), color=colour, label=f"{name}, exact")
        rows = list(sweep(cases(times), Budget(rel_error=arguments.rel_error)))
        for row in rows:
            print(f"{name}, {row.labels['snr_db']} dB: {row.mean:.4g} (exact {row.exact:.4g}): {verdict(row)}")
        means = [row.mean for row in rows]
        bars = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        label = f"{name}, measured (95 %)"
        axes.errorbar(LEVELS, means, yerr=bars, fmt="o", ms=4, capsize=3, color=colour, label=label)
    axes.set(xlabel="SNR = P/N per real use (dB)", ylabel="bit error rate", yscale="log", ylim=(1e-8, 1))
    axes.set(title="BPSK over AWGN")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
