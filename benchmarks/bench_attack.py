"""Whether the attack finds worst jammers that are known exactly, and how long it takes.

Why: an audit that nobody has audited says nothing. For hard-decision BPSK the worst oblivious jammer is the upper
concave envelope, in z², of the error probability given z; for a bit repeated three times, whose receiver adds, it is
the same in a third of the noise. For Hamming(7,4) no exact worst is known: asked is the best closed form. All at P = 1.

    python benchmarks/bench_attack.py [--quick] [--seed 0] [--json]
"""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

from jscc_sim.attack import attack
from jscc_sim.codecs import HAMMING_7_4, BlockCode, Codec, Repetition
from jscc_sim.sources import Bits
from jscc_sim.theory.worst_noise import worst_hard_error, worst_pulsed_error

JAM_POWERS = (0.1, 0.25, 0.5)
NOISE_POWERS = (0.0, 0.05)
ASKED = 0.97


@dataclass(frozen=True)
class Result:
    """What was found beside what is known; ``exact`` is None where nobody knows."""

    codec: str
    jam_power: float
    noise_power: float
    found: float
    low: float
    high: float
    by: str
    exact: float | None
    pulsed_exact: float | None
    best_closed_form: float
    gaussian: float
    power: float
    cpu_seconds: float

    @property
    def reached(self) -> bool:
        """At least 0.97 of the exact worst, or else the best of the closed forms."""
        return self.found >= (self.best_closed_form if self.exact is None else ASKED * self.exact)

    def line(self) -> str:
        """A row of the table."""
        exact = "–" if self.exact is None else f"{self.exact:.5f}"
        ratio = "–" if self.exact is None else f"{self.found / self.exact:.4f}"
        pulsed = "–" if self.pulsed_exact is None else f"{self.found / self.pulsed_exact:.2f}"
        return (
            f"| {self.codec} | {self.jam_power:g} | {self.noise_power:g} | {exact} | {self.found:.5f} "
            f"[{self.low:.5f}, {self.high:.5f}] | {ratio} | {pulsed} | {self.best_closed_form:.5f} "
            f"| {self.gaussian:.5f} | {self.by} | {self.cpu_seconds:.1f} | {'reached' if self.reached else 'missed'} |"
        )


def audited(name: str, codec: Codec, powers: tuple[float, float], quick: bool, seed: int) -> Result:
    """The audit of one codec at jammer and noise power, beside what theory knows."""
    (jam, noise), start = powers, time.process_time()
    audit = attack(codec, Bits(codec.k), jam, noise, seed, quick=quick)
    seconds, harm = time.process_time() - start, audit.worst.measured.harm
    known = isinstance(codec, Repetition)
    return Result(
        name,
        jam,
        noise,
        found=harm.mean,
        low=harm.low,
        high=harm.high,
        by=audit.worst.says,
        exact=float(worst_hard_error(1, jam, noise / codec.n)) if known else None,
        pulsed_exact=float(worst_pulsed_error(1, jam, noise)) if codec.n == 1 else None,
        best_closed_form=max(row.measured.harm.mean for row in audit.rows if row.kind == "closed form"),
        gaussian=audit.harm("gaussian"),
        power=audit.worst.measured.power,
        cpu_seconds=seconds,
    )


def main() -> None:
    """Audit everything, then print it once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer words and steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    asked = parser.parse_args()
    codecs = {
        "BPSK, hard": Repetition(1, 1),
        "repetition-3": Repetition(1, 3),
        "Hamming(7,4)": BlockCode(HAMMING_7_4),
    }
    results = [
        audited(name, codec, (jam, noise), asked.quick, asked.seed)
        for name, codec in codecs.items()
        for noise in NOISE_POWERS
        for jam in JAM_POWERS
    ]
    if asked.json:
        print(json.dumps([asdict(result) | {"reached": result.reached} for result in results]))
        return
    print(
        "| codec | PA | N | exact worst | found, 95 % | found/exact | found/worst pulsed (exact) | best closed form ",
        end="",
    )
    print("| Gaussian | how | CPU s | |", "|---" * 11 + "|---|", sep="\n")
    for result in results:
        print(result.line())


if __name__ == "__main__":
    main()
