"""Error rates of modulated and coded links beside those of whole links of Sionna and CommPy; and under jammers.

Why: two libraries that share no line, not even their idea of an SNR, err alike only where both are right. And codes are
compared in Gaussian noise, which is not what an adversary sends.

peers    uncoded QAM, 5G and convolutional codes: ours by `sweep`, theirs with their own bits, maps, noise and decoders;
         words in error of both are compared by Fisher's exact test, bits of ours with theory where it is exact
jammed   these codes and turbo, on ±1 and 16-QAM, at each SJR, nature 10 dB lower: jammers by closed form, one that
         learned against Gaussian words, and the worst of an audit

    python benchmarks/bench_links.py peers [--words 20000] [--json]
    python benchmarks/bench_links.py jammed [--sjr 0 5 10] [--quick] [--json]
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count, product
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
import torch
from bench_coded import sionna_convolutional, sionna_ldpc
from scipy.stats import fisher_exact
from torch import Tensor

from channels import AWGN, decibels, from_decibels
from jscc_sim.attack import attack
from jscc_sim.catalog import Request, make_cases
from jscc_sim.codecs import LDPC, CommPyConvolutional, Convolutional, Polar
from jscc_sim.montecarlo import Budget, Row, sweep
from jscc_sim.sources import Bits
from jscc_sim.tally import Estimate
from jscc_sim.verify import verdict

K = 24  # bits of an uncoded word: they fill whole points of each constellation
BATCH = 2000
SLOW = 400  # words for a decoder that is a Python loop
SEEDS = count(1)  # of peers, one to each comparison: the same draws must not err in two
# Codecs under jammers: of ±1 and on points, each with the bits of a word where the usual ones do not fill points.
JAMMED = (
    ("uncoded", None, K),
    ("hamming", None, None),
    ("convolutional", None, None),
    ("ldpc", None, None),
    ("polar", None, None),
    ("turbo", None, None),
    ("convolutional", "16qam", 66),
    ("ldpc", "16qam", None),
)
POLICIES = ("gaussian", "two-point", "pulsed:0.1", "pulsed:0.02", "tone:0.1", "learned")
# Which tells points apart; of ±1 all are as large.
REACTIVE = "reactive:0.9"
# Words in error, of so many.
Counted = tuple[int, int]
Peer = Callable[[float, int], Counted]
Decide = Callable[[Tensor], Tensor]


def peers(words: int) -> Iterator[dict[str, Any]]:
    """Each link at each Eb/N0, ours and theirs."""
    for bits, name in ((2, "qpsk"), (4, "16qam"), (6, "64qam")):
        theirs = {"Sionna": sionna_points(bits), "CommPy": commpy_points(bits)}
        yield from beside(uncoded(name), (4.0, 8.0), theirs, words)
        yield from beside(uncoded(name, "rayleigh"), (10.0, 20.0), {"Sionna": sionna_points(bits, fading=True)}, words)
    yield from beside(coded("ldpc"), (1.0, 1.5), {"Sionna": sionna_5g()}, words // 4)
    yield from beside(coded("ldpc", "16qam"), (3.5, 4.0), {"Sionna": sionna_5g(4)}, words // 4)
    yield from beside(coded("polar"), (1.5, 2.5), {"Sionna": sionna_polar()}, words // 4)
    convolutional = {"Sionna": sionna_viterbi(), "CommPy": commpy_viterbi()}
    yield from beside(coded("convolutional"), (2.0, 3.5), convolutional, words)


def uncoded(modulation: str, channel: str = "awgn") -> Request:
    """Bits on points of a constellation."""
    return Request(channel, codecs=("uncoded",), k=K, modulation=modulation)


def coded(codec: str, modulation: str | None = None) -> Request:
    """A code at its usual length, in Gaussian noise."""
    return Request("awgn", codecs=(codec,), modulation=modulation)


def beside(asked: Request, ebn0_dbs: Sequence[float], theirs: dict[str, Peer], words: int) -> Iterator[dict[str, Any]]:
    """Our rows, and what each peer found at the same Eb/N0."""
    for ebn0_db in ebn0_dbs:
        (case,) = make_cases(Request(**{**vars(asked), "ebn0_db": (ebn0_db,)}))
        rows = {row.metric: row for row in sweep([case], Budget(words=words))}
        ours = rows["bler"]
        errors = round(ours.mean * ours.words)
        for peer, transmit in theirs.items():
            seed_all(next(SEEDS))
            wrong, sent = transmit(ebn0_db, words)
            table = [[errors, ours.words - errors], [wrong, sent - wrong]]
            yield {
                "link": f"{asked.channel}, {asked.codecs[0]}, {asked.modulation or 'bpsk'}",
                "ebn0_db": ebn0_db,
                "bler": ours.mean,
                "low": ours.low,
                "high": ours.high,
                "words": ours.words,
                "ber": rows["ber"].mean,
                "exact_ber": rows["ber"].exact,
                "verdict": verdict(rows["ber"]) or "",
                "peer": peer,
                "peer_errors": wrong,
                "peer_words": sent,
                "p_value": float(fisher_exact(table).pvalue),
            }


def seed_all(seed: int) -> None:
    """Each library draws from a generator of its own."""
    from sionna.phy import config

    torch.manual_seed(seed)
    config.seed = seed
    np.random.seed(seed)  # noqa: NPY002 — CommPy draws from numpy's own


def in_batches(transmit: Callable[[int], Tensor]) -> Callable[[int], Counted]:
    """Counts of words in error, of ``transmit(count) -> (count,)``, whether each is."""

    def counted(words: int) -> Counted:
        sizes = [min(BATCH, words - start) for start in range(0, words, BATCH)]
        return int(sum(transmit(size).sum() for size in sizes)), words

    return counted


def sionna_points(bits: int, *, fading: bool = False) -> Peer:
    """Sionna's mapper, noise and demapper; a complex gain for each word, which the receiver knows."""
    from sionna.phy.channel import AWGN
    from sionna.phy.mapping import Demapper, Mapper
    from sionna.phy.utils import ebnodb2no

    mapper = Mapper("qam", bits, precision="single", device="cpu")
    demapper = Demapper("maxlog", "qam", bits, hard_out=True, precision="single", device="cpu")
    noise = AWGN(precision="single", device="cpu")

    def peer(ebn0_db: float, words: int) -> Counted:
        no = ebnodb2no(ebn0_db, bits, 1.0, precision="single", device="cpu")

        def transmit(size: int) -> Tensor:
            u = torch.randint(2, (size, K)).float()
            h = torch.randn(size, 1, dtype=torch.complex64) if fading else torch.ones(size, 1)
            y = noise(h * mapper(u), no)
            return (demapper(y / h, no / h.abs().square()) != u).any(1)

        return in_batches(transmit)(words)

    return peer


def sionna_code(k: int, n: int, encode: Decide, decode: Decide, bits: int = 2) -> Peer:
    """Sionna's code round its QAM, ``bits`` to a point."""
    from sionna.phy.channel import AWGN
    from sionna.phy.mapping import Demapper, Mapper
    from sionna.phy.utils import ebnodb2no

    mapper = Mapper("qam", bits, precision="single", device="cpu")
    demapper = Demapper("app", "qam", bits, precision="single", device="cpu")
    noise = AWGN(precision="single", device="cpu")

    def peer(ebn0_db: float, words: int) -> Counted:
        no = ebnodb2no(ebn0_db, bits, k / n, precision="single", device="cpu")

        def transmit(size: int) -> Tensor:
            u = torch.randint(2, (size, k)).float()
            return (decode(demapper(noise(mapper(encode(u)), no), no)) != u).any(1)

        return in_batches(transmit)(words)

    return peer


def sionna_5g(bits: int = 2) -> Peer:
    """Its 5G LDPC code, interleaved, and its decoder, as many iterations as ours."""
    ours = LDPC()
    return sionna_code(ours.k, ours.n, *sionna_ldpc(ours, bits), bits)


def sionna_polar() -> Peer:
    """Its 5G polar code and decoder."""
    ours = Polar()
    return sionna_code(ours.k, ours.n, ours.encoder, ours.decoder)


def sionna_viterbi() -> Peer:
    """Its encoder and decoder of our convolutional code's polynomials."""
    ours = Convolutional()
    return sionna_code(ours.k, ours.n, *sionna_convolutional(ours))


def commpy_points(bits: int) -> Peer:
    """CommPy's modem and noise, whose level of complex symbols is Eb/N0 if told the bits of each as a rate."""
    from commpy.channels import awgn
    from commpy.modulation import QAMModem

    modem = QAMModem(2**bits)

    def peer(ebn0_db: float, words: int) -> Counted:
        words = max(1, words // 4)
        u = torch.randint(2, (words, K)).numpy()
        heard = awgn(modem.modulate(u.ravel()), ebn0_db, rate=bits)
        return int((modem.demodulate(heard, "hard").reshape(words, K) != u).any(1).sum()), words

    return peer


def commpy_viterbi() -> Peer:
    """CommPy's encoder, noise and decoder; its level of real symbols is ours, P over N."""
    from commpy.channels import awgn

    codec = CommPyConvolutional()

    def peer(ebn0_db: float, words: int) -> Counted:
        u = torch.randint(2, (SLOW, codec.k)).float()
        x = -codec.encode(u).numpy().ravel()  # CommPy's bit 1 is sent as +1
        heard = awgn(x, ebn0_db + decibels(2 * codec.k / codec.n)).reshape(SLOW, codec.n)
        found = codec.decode(-torch.from_numpy(heard), AWGN(1.0))
        return int((found != u).any(1).sum()), SLOW

    return peer


def jammed(sjr_dbs: Sequence[float], *, quick: bool) -> Iterator[dict[str, Any]]:
    """Block error rates of each code under each jammer, and under the worst that an audit finds."""
    budget = Budget(words=2000 if quick else 20_000)
    for sjr_db, (codec, modulation, k) in product(sjr_dbs, JAMMED):
        name = f"{codec} {modulation}" if modulation else codec
        levels = {"sjr_db": sjr_db, "snr_db": (sjr_db + 10,)}
        for policy in (*POLICIES, REACTIVE) if modulation else POLICIES:
            (case,) = make_cases(Request("jammer", (codec,), policy=policy, k=k, modulation=modulation, **levels))
            rows = {row.metric: row for row in sweep([case], budget)}
            yield {"sjr_db": sjr_db, "codec": name, "policy": policy, **rates(rows["bler"], rows["ber"])}
        victim = case.link.codec
        audit = attack(victim, Bits(victim.k), from_decibels(-sjr_db), from_decibels(-sjr_db - 10), quick=quick)
        worst = audit.worst
        yield {
            "sjr_db": sjr_db,
            "codec": name,
            "policy": "the worst found",
            **rates(worst.measured.block_errors, worst.measured.harm),
            "how": worst.says,
        }


def rates(block: Row | Estimate, bit: Row | Estimate) -> dict[str, float]:
    """Error rates of blocks, with their interval, and of bits."""
    return {"bler": block.mean, "low": block.low, "high": block.high, "ber": bit.mean}


def main() -> None:
    """Measure a part, print its table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("part", choices=("peers", "jammed"))
    options.add_argument(
        "--words", type=int, default=20_000, help="of peers, a quarter for iterative decoders  [20000]"
    )
    options.add_argument("--sjr", type=float, nargs="+", default=[0.0, 5.0, 10.0], help="of jammed, dB  [0 5 10]")
    options.add_argument("--quick", action="store_true", help="of jammed: fewer words, a shorter audit")
    options.add_argument("--json", action="store_true", help="one object per line instead of a table")
    asked = options.parse_args()
    torch.set_num_threads(1)
    rows = peers(asked.words) if asked.part == "peers" else jammed(asked.sjr, quick=asked.quick)
    line = as_json if asked.json else (beside_line if asked.part == "peers" else jammed_line)
    for row in rows:
        print(line(row), flush=True)


def as_json(row: dict[str, Any]) -> str:
    """A line of JSON."""
    return json.dumps(row)


def beside_line(row: dict[str, Any]) -> str:
    """A line of a table."""
    ours = f"{row['bler']:.4g} [{row['low']:.4g}, {row['high']:.4g}] of {row['words']}"
    exact = f"{row['ber']:.4g} ({row['exact_ber']:.4g}: {row['verdict']})" if row["exact_ber"] else f"{row['ber']:.4g}"
    theirs = f"{row['peer_errors'] / row['peer_words']:.4g} of {row['peer_words']}"
    return (
        f"| {row['link']}, {row['ebn0_db']:g} dB | {ours} | {exact} | {row['peer']} | {theirs} | {row['p_value']:.2g} |"
    )


def jammed_line(row: dict[str, Any]) -> str:
    """A line of a table."""
    how = f", {row['how']}" if row.get("how") else ""
    lost = f"{row['bler']:.3g} [{row['low']:.2g}, {row['high']:.2g}]"
    return f"| {row['sjr_db']:g} dB, {row['codec']} | {row['policy']}{how} | {lost} | {row['ber']:.3g} |"


if __name__ == "__main__":
    main()
