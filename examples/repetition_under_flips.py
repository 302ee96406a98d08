"""Repetition against random and adversarial flips: chance wears a code down, an adversary breaks it at a step.

Writes repetition_under_flips.png: the error rate of a bit repeated nine times when a share of its symbols is flipped,
by a BSC and by an adversary with that budget who sees the word.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

from channels import BSC, BitFlip, Channel
from jscc_sim.case import Case
from jscc_sim.codecs import Repetition
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.sources import Bits
from jscc_sim.theory.coding import repetition_error

TIMES = 9
SHARES = np.arange(TIMES + 1) / TIMES


def measured(channel: Channel, exact: float, rel_error: float) -> Row:
    """The error rate of one bit."""
    case = Case(Link(Bits(), Repetition(1, TIMES), channel), exact={"ber": exact})
    (row,) = sweep([case], Budget(rel_error=rel_error, max_words=300_000))
    return row


def main() -> None:
    """Measure, print both error rates for each share, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rel-error", type=float, default=0.05, help="half-width of the 95 %% interval over the rate")
    parser.add_argument("--out", default="repetition_under_flips.png")
    arguments = parser.parse_args()

    shares = [share for share in SHARES if share <= 0.5]
    chance = [measured(BSC(share), repetition_error(TIMES, flip=share), arguments.rel_error) for share in shares]
    attack = [
        measured(BitFlip(BSC(0.0), flips), repetition_error(TIMES, flips=flips), arguments.rel_error)
        for flips in range(TIMES + 1)
    ]

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    for rows, where, mark, name in ((chance, shares, "C0o", "random"), (attack, SHARES, "C3s", "adversarial")):
        for share, row in zip(where, rows, strict=True):
            print(f"{share:.3f} of {name} flips: error rate {row.mean:.4g} (exact {row.exact:.4g})")
        means = [row.mean for row in rows]
        bars = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        axes.errorbar(where, means, yerr=bars, fmt=mark, ms=5, capsize=3, label=f"{name}, measured")
    fine = np.linspace(0, 0.5, 101)
    axes.plot(fine, [repetition_error(TIMES, flip=share) for share in fine], "C0", label="random flips (BSC), exact")
    attacked = [repetition_error(TIMES, flips=flips) for flips in range(TIMES + 1)]
    axes.step(SHARES, attacked, "C3", where="post", label=f"an adversary with ⌊{TIMES}p⌋ flips, exact")
    axes.set(xlabel="share p of symbols flipped", ylabel="bit error rate", title=f"A bit repeated {TIMES} times")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    figure.savefig(arguments.out, dpi=150)


if __name__ == "__main__":
    main()
