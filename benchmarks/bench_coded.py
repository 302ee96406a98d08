"""How fast coded links are decoded here and by Sionna, CommPy and komm, on the very same received words.

Why: a decoder that stops early must not decide otherwise, and a fast one is worth nothing if it errs more. So every
contestant decodes the same words at a working point, turn by turn in rounds on one thread; a ratio is the median over
rounds of the ratio within a round, by CPU time, and beside it stand all word errors.

    python benchmarks/bench_coded.py [--rounds 5] [--words 2048] [--json]
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and numpy, which count their threads when imported

import numpy as np
import torch
from torch import Tensor

from channels import AWGN, decibels
from jscc_sim.codecs import LDPC, BitCodec, CommPyConvolutional, Convolutional, Turbo
from jscc_sim.sources import Bits

# Working points, Eb/N0 in dB, where a word in a hundred or fewer is lost.
LDPC_AT, TURBO_AT, VITERBI_AT = 2.0, 1.5, 4.5
# What a slow contestant decodes of the words.
FEW = 16
Decode = Callable[[Tensor, AWGN], Tensor]


def sionna_ldpc(codec: LDPC, bits: int | None = None) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Sionna's encoder, for points of so many ``bits``, and its decoder with as many iterations."""
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    encoder = LDPC5GEncoder(codec.k, codec.n, num_bits_per_symbol=bits, precision="single", device="cpu")
    return encoder, LDPC5GDecoder(encoder, num_iter=codec.iterations, precision="single", device="cpu")


def sionna_convolutional(codec: Convolutional) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Sionna's encoder and Viterbi decoder of the same polynomials."""
    from sionna.phy.fec.conv import ConvEncoder, ViterbiDecoder

    polynomials = tuple(f"{generator:b}" for generator in codec.generators)
    encoder = ConvEncoder(gen_poly=polynomials, terminate=True, precision="single", device="cpu")
    return encoder, ViterbiDecoder(encoder=encoder, precision="single", device="cpu")


def beside_sionna(codec: BitCodec, theirs: Callable[[Tensor], Tensor]) -> dict[str, Decode]:
    """Our decoder, and Sionna's, whose LLRs have the other sign."""
    return {"jscc-sim": codec.decode, "Sionna": lambda y, law: theirs(-law.llr(y))}


def ldpc_contestants(codec: LDPC) -> dict[str, Decode]:
    """Ours, and Sionna's decoder of the same graph with as many iterations."""
    _, theirs = sionna_ldpc(codec)
    return beside_sionna(codec, theirs)


def turbo_contestants(codec: Turbo) -> dict[str, Decode]:
    """Ours, and Sionna's in logarithms, as many iterations: its other way overflows where symbols are sure."""
    from sionna.phy.fec.turbo import TurboDecoder

    theirs = TurboDecoder(codec.encoder, num_iter=codec.iterations, algorithm="log", precision="single", device="cpu")
    return beside_sionna(codec, theirs)


def viterbi_contestants(codec: Convolutional) -> dict[str, Decode]:
    """Ours, Sionna's, CommPy's, and komm's where it is installed."""
    _, sionna = sionna_convolutional(codec)
    found = beside_sionna(codec, sionna)
    found["CommPy"] = CommPyConvolutional(codec.k, codec.generators).decode
    if find_spec("komm"):
        found["komm"] = komm_viterbi(codec)
    return found


def komm_viterbi(codec: Convolutional) -> Decode:
    """komm's decoder of the terminated code; its polynomials have the newest bit lowest."""
    import komm

    newest_lowest = [int(f"{generator:0{codec.memory + 1}b}"[::-1], 2) for generator in codec.generators]
    code = komm.TerminatedConvolutionalCode(
        komm.ConvolutionalCode([newest_lowest]), num_blocks=codec.k, mode="zero-termination"
    )
    decoder = komm.ViterbiDecoder(code, input_type="soft")
    return lambda y, law: torch.from_numpy(np.asarray(decoder.decode(law.llr(y).numpy()))).float()


def contest(
    codec: BitCodec, contestants: dict[str, Decode], ebn0_db: float, rounds: int, words: int
) -> list[dict[str, object]]:
    """Information bits per CPU second and word errors of each contestant on the same words."""
    law = AWGN(1.0).at(ebn0_db + decibels(2 * codec.k / codec.n))
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    errors, sent = dict.fromkeys(contestants, 0), dict.fromkeys(contestants, 0)
    for seed in range(rounds + 1):
        torch.manual_seed(seed)
        u = Bits(codec.k).draw(words)
        y = law(codec.encode(u))
        for name, decode in contestants.items():
            some = FEW if name == "CommPy" else words
            start = time.process_time()
            decoded = decode(y[:some], law)
            seconds = time.process_time() - start
            if seed:  # the first round warms up
                rates[name].append(some * codec.k / seconds)
                errors[name] += int((decoded != u[:some]).any(1).sum())
                sent[name] += some
    return [
        {
            "code": f"{type(codec).__name__}({codec.k}, {codec.n})",
            "ebn0_db": ebn0_db,
            "decoder": name,
            "bits_per_cpu_second": statistics.median(found),
            "ratio": statistics.median(ours / theirs for ours, theirs in zip(rates["jscc-sim"], found, strict=True)),
            "word_errors": errors[name],
            "words": sent[name],
        }
        for name, found in rates.items()
    ]


def main() -> None:
    """Run all contests and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5, help="  [5]")
    options.add_argument("--words", type=int, default=2048, help="to a round  [2048]")
    options.add_argument("--json", action="store_true", help="one object per line instead of a table")
    asked = options.parse_args()
    torch.set_num_threads(1)
    ldpc, turbo, convolutional = LDPC(512, 1024), Turbo(256), Convolutional(1000)
    rows = contest(ldpc, ldpc_contestants(ldpc), LDPC_AT, asked.rounds, asked.words)
    rows += contest(turbo, turbo_contestants(turbo), TURBO_AT, asked.rounds, asked.words)
    rows += contest(convolutional, viterbi_contestants(convolutional), VITERBI_AT, asked.rounds, asked.words)
    if asked.json:
        print("\n".join(json.dumps(row) for row in rows))
        return
    print("| code, Eb/N0 | decoder | information bits per CPU second | jscc-sim over it | words lost |")
    print("|---|---|---|---|---|")
    for row in rows:
        speed, ratio = f"{row['bits_per_cpu_second']:.3g}", f"{row['ratio']:.3g}"
        lost = f"{row['word_errors']} of {row['words']}"
        print(f"| {row['code']}, {row['ebn0_db']:g} dB | {row['decoder']} | {speed} | {ratio} | {lost} |")


if __name__ == "__main__":
    main()
