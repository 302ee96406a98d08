"""How fast jscc-sim is beside what one would write or install instead, on the same link and one core.

Why: a simulator that is slower than ten lines of torch is not used, and one that is slower than its rivals is not
chosen. All contestants run on one thread, turn by turn in rounds, and are timed by the process's CPU time, so that a
busy or throttled machine slows all of them alike; a ratio is the median over rounds of the ratio within a round. Every
link's error rate is checked against the exact one: nobody is fast at something else. Of each rival the batch and the
input type that suit it best are used. Ours sends words of one bit, each scored alone, where targets speak of BPSK.

    python benchmarks/bench_throughput.py [--rounds 9] [--json]
"""

import argparse
import itertools
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
import torch

from channels import AWGN, BSC, GaussianPolicy, Jammer, from_decibels
from jscc_sim.blocks import simulate
from jscc_sim.case import SYMBOLS_PER_BLOCK, Case
from jscc_sim.codecs import Linear, Repetition
from jscc_sim.link import Link
from jscc_sim.metrics import metrics_for
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.sources import Bits, Gaussian

EBN0_DB = 4.0
NOISE_POWER = 1 / (2 * from_decibels(EBN0_DB))
BIT_ERROR_RATE = math.erfc(1 / math.sqrt(2 * NOISE_POWER)) / 2
JAMMED_MSE = 1.1 / 2.1  # linear codec of a unit source: W/(1 + W) at jammer 1 and noise 0.1
LONG_WORD = 1000
BLOCK = SYMBOLS_PER_BLOCK
BLOCKS_PER_TURN = 16
TURN_SECONDS = 0.25
SWEEP_BLOCKS = 2**11
RAW_BLOCKS = 2**11
TASKS = 16
LIMIT_JAMMED = "three raw normals per symbol (limit)"

# A turn of a contestant: how many symbols it sent, and the sum of their errors (NaN where it counts none).
Turn = Callable[[], tuple[int, float]]
Rates = dict[str, list[float]]
Array = np.ndarray | torch.Tensor


@dataclass(frozen=True)
class Target:
    """A figure that is asked, ``at_most`` or at least ``asked``, and what each round measured.

    ``machine`` is what the plain torch loop attains, where the machine itself may not give as much as is asked.
    """

    name: str
    asked: float
    measured: list[float]
    at_most: bool = False
    unit: str = ""
    machine: float | None = None

    @property
    def median(self) -> float:
        """Over the rounds."""
        return statistics.median(self.measured)

    @property
    def verdict(self) -> str:
        """Reached, or by how much it was missed."""
        missed = self.median - self.asked if self.at_most else self.asked - self.median
        if missed <= 0:
            return "reached"
        if self.machine is not None and self.machine < self.asked:
            return f"undecided: the machine gives a plain torch loop {self.machine:.3g}{self.unit}"
        return f"missed by {missed:.3g}{self.unit}"

    def line(self) -> str:
        """A row of the table."""
        asked = f"{'≤' if self.at_most else '≥'} {self.asked:g}{self.unit}"
        span = f"{min(self.measured):.3g} to {max(self.measured):.3g}"
        return f"| {self.name} | {asked} | {self.median:.3g}{self.unit} | {span} | {self.verdict} |"


def link_of_bits(k: int) -> Link:
    """Uncoded BPSK over AWGN in words of ``k`` bits."""
    return Link(Bits(k), Repetition(k, 1), AWGN(NOISE_POWER)).eval()


def jammed_link() -> Link:
    """Gaussian symbols, the linear codec, a Gaussian jammer as strong as the signal."""
    return Link(Gaussian(), Linear(), Jammer(GaussianPolicy(), 0.1, 1.0)).eval()


def simulated(link: Link) -> Turn:
    """The simulator as a sweep runs it: seeds, transmission, scores of every word, sums."""
    words = Case(link).words_per_block
    blocks = simulate(link, metrics_for(link.source), words, 0, itertools.count())

    def turn() -> tuple[int, float]:
        tallies = [list(tallies.values())[-1] for _, tallies in itertools.islice(blocks, BLOCKS_PER_TURN)]
        return BLOCKS_PER_TURN * words * link.source.k, sum(tally.total for tally in tallies) * link.source.k

    return turn


def bare(link: Link) -> Turn:
    """`Link.transmit` alone, the same words per block, nothing scored."""
    words = Case(link).words_per_block

    @torch.no_grad()
    def turn() -> tuple[int, float]:
        for _ in range(BLOCKS_PER_TURN):
            link.transmit(words)
        return BLOCKS_PER_TURN * words * link.source.k, math.nan

    return turn


def normals(draws: int) -> Turn:
    """So many raw normal draws per symbol and nothing else: the limit of whatever needs them."""

    def turn() -> tuple[int, float]:
        for _ in range(BLOCKS_PER_TURN * draws):
            torch.randn(BLOCK)
        return BLOCKS_PER_TURN * BLOCK, math.nan

    return turn


def plain_torch() -> tuple[int, float]:
    """What one would write by hand, in the types and the block that turned out fastest."""
    errors = 0
    for _ in range(BLOCKS_PER_TURN):
        bits = torch.randint(2, (BLOCK,), dtype=torch.float32)
        y = (1 - 2 * bits).add_(torch.randn(BLOCK), alpha=math.sqrt(NOISE_POWER))
        errors += int(((y < 0) != bits.bool()).sum())
    return BLOCKS_PER_TURN * BLOCK, errors


def plain_numpy() -> Turn:
    """The same in numpy, float32, with its fastest generator."""
    generator, deviation = np.random.Generator(np.random.SFC64(0)), np.float32(math.sqrt(NOISE_POWER))

    def turn() -> tuple[int, float]:
        errors = 0
        for _ in range(BLOCKS_PER_TURN):
            bits = generator.integers(0, 2, BLOCK, dtype=bool)
            y = generator.standard_normal(BLOCK, dtype=np.float32)
            y *= deviation
            y += np.float32(1) - np.float32(2) * bits
            errors += int(((y < 0) != bits).sum())
        return BLOCKS_PER_TURN * BLOCK, errors

    return turn


def sionna_sim_ber(words: int) -> Turn:
    """Sionna's `sim_ber` over its own blocks, ``words`` × 1,000 bits a batch."""
    from sionna.phy import Block, channel
    from sionna.phy.mapping import BinarySource, Demapper, Mapper
    from sionna.phy.utils import ebnodb2no, sim_ber

    class Bpsk(Block):
        def __init__(self) -> None:
            super().__init__()
            self.source, self.mapper, self.channel = BinarySource(), Mapper("pam", 1), channel.AWGN()
            self.demapper = Demapper("app", "pam", 1, hard_out=True)

        def call(self, batch_size: int, ebno_db: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            noise, bits = ebnodb2no(ebno_db, 1, 1.0), self.source([batch_size, LONG_WORD])
            return bits, self.demapper(self.channel(self.mapper(bits), noise), noise)

    link, level, batches = Bpsk(), torch.tensor([EBN0_DB]), max(1, 2000 // words)

    def turn() -> tuple[int, float]:
        rate, _ = sim_ber(link, level, words, batches, verbose=False)
        bits = batches * words * LONG_WORD
        return bits, float(rate) * bits

    return turn


def komm_pam() -> Turn:
    """komm's real PAM and Gaussian channel, in the block that suits it best."""
    import komm

    generator = np.random.default_rng(0)
    pam, channel = komm.PAMConstellation(2), komm.GaussianChannel(NOISE_POWER, rng=generator)

    def turn() -> tuple[int, float]:
        bits = generator.integers(0, 2, BLOCK // 4)
        received = channel.transmit(pam.indices_to_symbols(bits))
        return bits.size, int((pam.closest_indices(received) != bits).sum())

    return turn


def commpy_modem() -> Turn:
    """CommPy's modem and `awgn`, whose SNR of complex symbols is Eb/N0."""
    from commpy.channels import awgn
    from commpy.modulation import PSKModem

    modem, generator = PSKModem(2), np.random.default_rng(0)

    def turn() -> tuple[int, float]:
        bits = generator.integers(0, 2, BLOCK // 8)
        decided = modem.demodulate(awgn(modem.modulate(bits), EBN0_DB), "hard")
        return bits.size, int((decided != bits).sum())

    return turn


def commpy_awgn() -> Turn:
    """CommPy's `awgn` on ±1, whose SNR of real symbols is per use; the modem done by hand."""
    from commpy.channels import awgn

    level, generator = -10 * math.log10(NOISE_POWER), np.random.default_rng(0)

    def turn() -> tuple[int, float]:
        bits = generator.integers(0, 2, BLOCK // 8)
        return bits.size, int(((awgn(1.0 - 2.0 * bits, level) < 0) != bits).sum())

    return turn


def flipping(channel: Callable[[Array], Array], x: Array, flip: float) -> Turn:
    """A binary symmetric channel on the input ``x`` that suits it; ValueError unless it flips as often as it should."""
    rate = sum(float((channel(x) != x).sum()) for _ in range(BLOCKS_PER_TURN * 4)) / (BLOCKS_PER_TURN * 4 * len(x))
    check("a binary symmetric channel", rate, flip)

    def turn() -> tuple[int, float]:
        for _ in range(BLOCKS_PER_TURN):
            channel(x)
        return BLOCKS_PER_TURN * len(x), math.nan

    return turn


def bsc_contest(flip: float) -> dict[str, Turn]:
    """Binary symmetric channels: ours and Sionna's on ±1 as float32, the others on bytes (they are slower on int64)."""
    import komm
    from commpy.channels import bsc
    from sionna.phy.channel import BinarySymmetricChannel

    octets = np.random.default_rng(0).integers(0, 2, BLOCK, np.int8)
    symbols = 1 - 2 * torch.from_numpy(octets).float()
    ours, sionna, komms = BSC(flip), BinarySymmetricChannel(bipolar_input=True), komm.BinarySymmetricChannel(flip)
    return {
        f"jscc-sim BSC({flip:g})": flipping(lambda x: ours.transmit(x).y, symbols, flip),
        f"Sionna BSC({flip:g})": flipping(lambda x: sionna(x, flip), symbols, flip),
        f"komm BSC({flip:g})": flipping(komms.transmit, octets, flip),
        f"CommPy bsc({flip:g})": flipping(lambda x: bsc(x, flip), octets, flip),
    }


def bpsk_contest() -> dict[str, Turn]:
    """BPSK over AWGN at 4 dB."""
    return {
        "jscc-sim simulate, words of 1 bit": simulated(link_of_bits(1)),
        "jscc-sim simulate, words of 1,000 bits": simulated(link_of_bits(LONG_WORD)),
        "jscc-sim Link.transmit, words of 1 bit": bare(link_of_bits(1)),
        "plain torch loop": plain_torch,
        "plain numpy loop": plain_numpy(),
        "Sionna sim_ber, 1,000 × 1,000 bits": sionna_sim_ber(1000),
        "Sionna sim_ber, 65 × 1,000 bits": sionna_sim_ber(65),
        "komm, real PAM": komm_pam(),
        "CommPy, modem and awgn": commpy_modem(),
        "CommPy, awgn alone": commpy_awgn(),
        "one raw normal per bit (limit)": normals(1),
    }


def jammer_contest() -> dict[str, Turn]:
    """A Gaussian source against a Gaussian jammer."""
    return {
        "jscc-sim simulate, Gaussian against a jammer": simulated(jammed_link()),
        "jscc-sim Link.transmit, Gaussian against a jammer": bare(jammed_link()),
        LIMIT_JAMMED: normals(3),
    }


def check(name: str, rate: float, exact: float) -> None:
    """ValueError if a contestant measured something else; 5 % are many standard errors here."""
    if not math.isclose(rate, exact, rel_tol=0.05):
        raise ValueError(f"{name} has the error rate {rate:.4g}, but this link has {exact:.4g}")


def measure(contest: Mapping[str, Turn], exact: float, rounds: int) -> Rates:
    """Symbols per CPU second of each contestant in each round, after a warm-up round."""
    rates: Rates = {name: [] for name in contest}
    sums = dict.fromkeys(contest, (0, 0.0))
    for _, (name, turn) in itertools.product(range(1 + rounds), contest.items()):
        done, errors, start = 0, 0.0, time.process_time()
        while (spent := time.process_time() - start) < TURN_SECONDS:
            count, wrong = turn()
            done, errors = done + count, errors + wrong
        rates[name].append(done / spent)
        sums[name] = sums[name][0] + done, sums[name][1] + errors
    for name, (done, errors) in sums.items():
        if not math.isnan(errors):
            check(name, errors / done, exact)
    return {name: measured[1:] for name, measured in rates.items()}


def ratios(rates: Rates, one: str, other: str) -> list[float]:
    """How many times as fast ``one`` was as ``other``, round by round."""
    return [a / b for a, b in zip(rates[one], rates[other], strict=True)]


def over_fastest(rates: Rates, one: str, *prefixes: str) -> list[float]:
    """How many times as fast ``one`` was as the fastest of those whose name begins so."""
    rivals = [ratios(rates, one, name) for name in rates if name.startswith(prefixes)]
    return min(rivals, key=statistics.median)


def overhead(rates: Rates, simulator: str, transmit: str) -> list[float]:
    """The CPU time of ``simulator`` beyond that of ``transmit``, in per cent."""
    return [100 * (ratio - 1) for ratio in ratios(rates, transmit, simulator)]


def sweep_seconds(executor: Executor, words: int) -> float:
    """Wall time of one point of ``words`` words on ``executor``."""
    case, start = Case(jammed_link()), time.perf_counter()
    for _ in sweep([case], Budget(words=words), executor=executor):
        pass
    return time.perf_counter() - start


def raw_blocks(blocks: int) -> None:
    """What a worker does that talks to nobody."""
    torch.set_num_threads(1)
    for _ in range(blocks // BLOCKS_PER_TURN):
        plain_torch()


def raw_seconds(executor: Executor) -> float:
    """Wall time of the plain torch loop on ``executor``, in as many tasks."""
    start = time.perf_counter()
    list(executor.map(raw_blocks, [RAW_BLOCKS // TASKS] * TASKS))
    return time.perf_counter() - start


def two_workers(rounds: int) -> tuple[float, float]:
    """How many times as fast two warm workers are as one: in a sweep, and in the plain torch loop.

    By the shortest wall times of the rounds: whatever else runs on the machine only adds to them.
    """
    ours, plain = ({1: [], 2: []} for _ in range(2))
    with ExitStack() as stack:
        pools = {n: stack.enter_context(ProcessPoolExecutor(n, mp_context=get_context("spawn"))) for n in (1, 2)}
        for workers, pool in pools.items():
            list(pool.map(time.sleep, [5] * workers))  # long enough that every worker starts
            sweep_seconds(pool, BLOCK * 256)
        for _ in range(2 * rounds):
            for workers, pool in pools.items():
                ours[workers].append(sweep_seconds(pool, BLOCK * SWEEP_BLOCKS))
                plain[workers].append(raw_seconds(pool))
    return min(ours[1]) / min(ours[2]), min(plain[1]) / min(plain[2])


def default_sweep_seconds() -> float:
    """Wall time of the README's sweep of 11 points in a fresh process, with imports."""
    command = [sys.executable, "-m", "jscc_sim.cli", "sweep", "--channel", "jammer", "--snr", "0:20:2"]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603  # nothing from outside
    return time.perf_counter() - start


def targets(rates: Rates, rounds: int) -> list[Target]:
    """What was asked, beside what came out."""
    one, jammed = "jscc-sim simulate, words of 1 bit", "jscc-sim simulate, Gaussian against a jammer"
    bare_one, bare_jammed = one.replace("simulate", "Link.transmit"), jammed.replace("simulate", "Link.transmit")
    rivals = ("Sionna BSC({0})", "komm BSC({0})", "CommPy bsc({0})")
    flips = [over_fastest(rates, f"jscc-sim BSC({p})", *(name.format(p) for name in rivals)) for p in ("0.1", "0.001")]
    ours, plain = two_workers(rounds)
    default = [default_sweep_seconds() for _ in range(3)]
    return [
        Target("BPSK over AWGN: simulate / plain torch loop", 0.65, ratios(rates, one, "plain torch loop")),
        Target(
            "BPSK over AWGN: simulate / Sionna at its best", 4, over_fastest(rates, one, "Sionna sim_ber"), unit=" ×"
        ),
        Target("BSC(0.1) / fastest of Sionna, komm, CommPy", 3, flips[0], unit=" ×"),
        Target("BSC(0.001) / fastest of Sionna, komm, CommPy", 5, flips[1], unit=" ×"),
        Target(
            "Gaussian, jammer, linear codec: simulate / three raw normals", 0.5, ratios(rates, jammed, LIMIT_JAMMED)
        ),
        Target("simulate beyond Link.transmit, BPSK", 10, overhead(rates, one, bare_one), at_most=True, unit=" %"),
        Target(
            "simulate beyond Link.transmit, jammer", 10, overhead(rates, jammed, bare_jammed), at_most=True, unit=" %"
        ),
        Target("a sweep on two workers / on one, shortest wall times", 1.8, [ours], unit=" ×", machine=plain),
        Target("default sweep of 11 points, wall with imports", 15, default, at_most=True, unit=" s"),
    ]


def processor() -> str:
    """The name of the processor, where the system tells it."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def circumstances(rounds: int) -> dict[str, str]:
    """When, where and with what."""
    packages = ("torch", "numpy", "sionna-no-rt", "scikit-commpy", "komm")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{processor()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} when it began",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
        ),
        "rounds": f"{rounds}, one thread, per CPU second; workers and the sweep by the wall clock",
    }


def table(told: Mapping[str, str], rates: Rates, reached: list[Target]) -> str:
    """The rates, the circumstances and, last, the targets, as Markdown."""
    lines = ["| contestant | symbols per CPU second |", "|---|---|"]
    lines += [f"| {name} | {statistics.median(measured):.2e} |" for name, measured in rates.items()]
    lines += ["", *(f"- {name}: {value}" for name, value in told.items()), ""]
    lines += ["| ratio | asked | median | rounds | |", "|---|---|---|---|---|", *(target.line() for target in reached)]
    return "\n".join(lines)


def main() -> None:
    """Measure everything, then print it once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    told, rates = circumstances(asked.rounds), {}
    contests = ((bpsk_contest(), BIT_ERROR_RATE), (jammer_contest(), JAMMED_MSE))
    for contest, exact in (*contests, (bsc_contest(0.1), 0.1), (bsc_contest(0.001), 0.001)):
        rates |= measure(contest, exact, asked.rounds)
    reached = targets(rates, asked.rounds)
    if asked.json:
        lines = [asdict(target) | {"median": target.median, "verdict": target.verdict} for target in reached]
        print(json.dumps({"circumstances": told, "rates": rates, "targets": lines}, ensure_ascii=False, indent=1))
    else:
        print(table(told, rates, reached))


if __name__ == "__main__":
    main()
