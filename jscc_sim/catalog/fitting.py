"""Whether the parts that a request names fit, said in its own words: options, names and values, not classes."""

from channels import Channel, Jammer, NeuralPolicy, NeuralSourcePolicy, NeuralTapPolicy, SourceAwarePolicy, innermost
from jscc_sim.catalog.request import Request
from jscc_sim.codecs import Codec
from jscc_sim.sources import Source

# Nets of these policies have as many outputs as the words that they were trained on have symbols.
OF_ONE_LENGTH = NeuralPolicy | NeuralSourcePolicy | NeuralTapPolicy
SYMBOLS = {"bits": "bits", "real": "real symbols"}
USUAL_SOURCE = {"bits": "bits", "real": "gaussian"}


def refuse_misfits(asked: Request, name: str, source: Source, codec: Codec, channel: Channel) -> None:
    """ValueError with the options to blame and what would do, unless codec ``name`` suits source, channel and policy.

    What remains to be refused by a Link is then a part that was made in Python.
    """
    _check_alphabets(asked, name, source, codec, channel)
    _check_lengths(asked, name, source, codec)
    _check_policy(asked, name, codec, innermost(channel))


def _check_alphabets(asked: Request, name: str, source: Source, codec: Codec, channel: Channel) -> None:
    takes = codec.source_alphabet
    if source.alphabet != takes:
        wrong = f"codec {name!r} encodes {SYMBOLS[takes]}, but source {asked.source!r} draws {SYMBOLS[source.alphabet]}"
        raise ValueError(f"{wrong}: use --source {USUAL_SOURCE[takes]}, or another --codec")
    if channel.alphabet == "antipodal" and codec.alphabet != "antipodal":
        wrong = f"channel {asked.channel!r} carries antipodal symbols, but codec {name!r} sends real ones"
        raise ValueError(f"{wrong}: use a codec of bits, such as uncoded or repetition-3")


def _check_lengths(asked: Request, name: str, source: Source, codec: Codec) -> None:
    if source.k != codec.k:
        if asked.k is not None:
            raise ValueError(f"codec {name!r} encodes words of k={codec.k}, not --k {asked.k}: leave --k out")
        wrong = f"codec {name!r} encodes words of k={codec.k}, but source {asked.source!r} has words of k={source.k}"
        raise ValueError(f"{wrong}: use another --source or --codec")
    if asked.n not in (None, codec.n):
        wrong = f"codec {name!r} sends words of k={codec.k} in n={codec.n} uses, not --n {asked.n}"
        raise ValueError(f"{wrong}: leave --n out")


def _check_policy(asked: Request, name: str, codec: Codec, jammer: Channel) -> None:
    policy = jammer.policy if isinstance(jammer, Jammer) else None
    if isinstance(policy, SourceAwarePolicy) and codec.k != codec.n:
        needs = f"policy {asked.policy!r} sends the source word turned round, which takes k = n"
        raise ValueError(f"{needs}, got k={codec.k}, n={codec.n} of codec {name!r}: leave --n out")
    if isinstance(policy, OF_ONE_LENGTH) and policy.n != codec.n:
        option = "--k" if asked.n is None else "--n"
        wrong = f"policy {asked.policy!r} was trained for words of n={policy.n}, but codec {name!r} sends n={codec.n}"
        raise ValueError(f"{wrong}: use {option} {policy.n}, or a codec trained for as many")
    if isinstance(policy, NeuralSourcePolicy) and policy.k != codec.k:
        wrong = f"policy {asked.policy!r} was trained for source words of k={policy.k}"
        raise ValueError(f"{wrong}, but codec {name!r} encodes k={codec.k}: use --k {policy.k}")
