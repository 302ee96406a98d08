"""The waterfall of four codes of 128 bits: convolutional, polar and LDPC of rate ½, turbo of rate ⅓.

Writes waterfall_of_four_codes.png: block error rates with their 95 % intervals, and for 128 bits in 256 symbols
what no code undercuts (Shannon's cones), what random codes reach, and the normal approximation between the two.
Each code's line ends with its first rate below the floor.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from jscc_sim.catalog import Request, guide_curves, make_cases
from jscc_sim.metrics import BLER
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.plot import curves, save

CODES = ("convolutional", "polar", "ldpc", "turbo")
# Whose size the lines are of.
SIZED = "polar"


def main() -> None:
    """Measure, print, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rel-error", type=float, default=0.2, help="half-width of the 95 %% interval over the rate")
    parser.add_argument("--floor", type=float, default=0.002, help="a code's line ends below it")
    parser.add_argument("--ebn0", type=float, nargs="+", default=[0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4], help="in dB")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("waterfall_of_four_codes.png"))
    arguments = parser.parse_args()

    cases = {code: make_cases(Request("awgn", (code,), ebn0_db=tuple(arguments.ebn0), k=128)) for code in CODES}
    budget = Budget(rel_error=arguments.rel_error, max_words=round(100 / arguments.floor))
    rows = []
    with ProcessPoolExecutor(arguments.workers) as pool:
        for code in CODES:
            for row in sweep(cases[code], budget, metrics=[BLER], executor=pool):
                rows.append(row)
                told = f"{code} ({row.labels['k']}, {row.labels['n']}), Eb/N0 {row.labels['level']:g} dB"
                print(f"{told}: {row.mean:.3g} [{row.low:.3g}, {row.high:.3g}]", flush=True)
                if row.mean < arguments.floor:
                    break
    save(curves(rows, guides=guide_curves(cases[SIZED])), arguments.out)


if __name__ == "__main__":
    main()
