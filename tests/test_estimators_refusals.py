"""Estimators refuse links that are not as they assume: a line with the estimator, what it found, and a remedy."""

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

from channels import (
    AWGN,
    BEC,
    BSC,
    BitFlip,
    ErrorsAndErasures,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    NeuralPolicy,
    Rayleigh,
    ReactivePolicy,
    SharedSign,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
)
from jscc_sim.codecs import HAMMING_7_4, BlockCode, Linear, Repetition
from jscc_sim.estimators import Control, Sobol, Strata, Tilt
from jscc_sim.link import Link
from jscc_sim.sources import Bits, Gaussian, Images, Laplace, Source


class OwnPolicy(GaussianPolicy):
    """A user's, who may have changed anything."""


class OwnNoise(AWGN):
    """A user's."""


class OwnCode(BlockCode):
    """A user's, who may decode as he likes."""


class OwnSource(Source):
    alphabet = "real"
    k = 1

    def draw(self, words):
        return torch.randn(words, 1)

    def __repr__(self):
        return "OwnSource()"


def jammed(policy: nn.Module) -> Jammer:
    return Jammer(policy, 0.1).eval()


def strong(jammer: Jammer) -> Jammer:
    jammer.unit.freeze(0.5)
    return jammer


def real(channel, source=None, codec=None) -> Link:
    return Link(source or Gaussian(), codec or Linear(), channel)


def bit(channel, codec=None) -> Link:
    codec = codec or Repetition(1, 1)
    return Link(Bits(codec.k), codec, channel)


# A refusal fits into three lines of a terminal; the repr of a net does not.
LONGEST_LINE = 240
NOT_WHITE = [
    (real(Rayleigh(1.0)), "Rayleigh"),
    (real(AWGN(1.0) >> AWGN(1.0)), "Cascade"),
    (real(SharedSign(Rayleigh(1.0))), "SharedSign"),
    (real(OwnNoise(1.0)), "OwnNoise"),
    (real(AWGN(1.0, torch.ones(1))), "one gain"),
    (real(jammed(TapPolicy())), "TapPolicy"),
    (real(jammed(SourceAwarePolicy())), "SourceAwarePolicy"),
    (real(jammed(ReactivePolicy())), "ReactivePolicy"),
    (real(jammed(NeuralPolicy())), "NeuralPolicy"),
    (real(jammed(TonePolicy())), "TonePolicy"),
    (real(jammed(OwnPolicy())), "OwnPolicy"),
    (real(jammed(nn.Linear(1, 1))), "Linear"),
    (real(Jammer(GaussianPolicy(), 0.1)), r"use link.eval\(\)"),
    (real(strong(jammed(GaussianPolicy()))), r"got 0.5: use link.eval\(\)"),
]
CASES = [
    *((Control(), link, said) for link, said in NOT_WHITE),
    *((Sobol(), link, said) for link, said in NOT_WHITE),
    (Control(), real(AWGN(1.0), OwnSource()), "OwnSource"),
    (Control(), real(AWGN(1.0), Images(), Linear(Images().k)), "Images"),
    (Control(), real(AWGN(1.0), Gaussian(600), Linear(600)), r"k \+ n <= 1024 symbols, got 600 \+ 600"),
    (Control(), bit(AWGN(1.0)), "Bits"),
    (Sobol(), real(AWGN(1.0), Laplace()), "Laplace"),
    (Sobol(), real(jammed(LaplacePolicy())), "LaplacePolicy"),
    (Sobol(), real(AWGN(1.0), Gaussian(20_000), Linear(20_000)), r"k \+ n <= 21201"),
    (Sobol(), bit(AWGN(1.0)), "Bits"),
    (Tilt(), bit(AWGN(1.0), Repetition(2, 1)), "got k=2: use --k 1"),
    (Tilt(), bit(AWGN(1.0), BlockCode(HAMMING_7_4)), "BlockCode"),
    (Tilt(), bit(BSC(0.1)), "BSC"),
    (Tilt(), bit(Rayleigh(1.0)), "Rayleigh"),
    (Tilt(), bit(jammed(LaplacePolicy())), "--policy gaussian"),
    (Tilt(), real(AWGN(1.0)), "Linear"),
    (Strata(), bit(AWGN(1.0)), "AWGN"),
    (Strata(), bit(ErrorsAndErasures(0.1, 0.1)), "ErrorsAndErasures"),
    (Strata(), bit(BitFlip(ErrorsAndErasures(0.1, 0.1), 1)), "BitFlip"),
    (Strata(), bit(BSC(0.1) >> BSC(0.1)), "Cascade"),
    (Strata(), bit(BSC(0.5)), "flip=0.5"),
    (Strata(), bit(BSC(0.9)), "flip=0.9"),
    (Strata(), bit(BSC(0.0)), "the error rate is 0"),
    (Strata(), bit(BEC(0.0)), "the error rate is 0"),
    (Strata(), bit(BSC(0.1), OwnCode(HAMMING_7_4)), "OwnCode"),
    (Strata(), real(AWGN(1.0)), "Linear"),
]


@pytest.mark.parametrize(("estimator", "link", "said"), CASES)
def test_refuse_what_they_cannot_know(estimator, link, said):
    for attempt in (lambda: estimator.check(link), lambda: estimator.prepare(link, [], 1, 0)):
        with pytest.raises(ValueError, match=said) as refused:
            attempt()
        assert f"the {estimator.name} estimator needs " in str(refused.value)
        assert ", got " in str(refused.value)
        assert ": " in str(refused.value)
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < LONGEST_LINE


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Control(pilot=1), "at least 2 words, got 1"),
        (lambda: Strata(pilot=0), "at least 1 word a stratum, got 0"),
        (lambda: Sobol(points=100), "a power of two, got 100"),
        (lambda: Sobol(points=0), "a power of two, got 0"),
    ],
)
def test_refuse_impossible_parameters(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_verification_knows_nothing_of_them():
    """Plain blocks alone: neither estimators nor a sweep, which could be given one, are imported by verify."""
    folder = Path(__file__).parent.parent / "jscc_sim" / "verify"
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert "estimators" not in (node.module or "")
                assert not {"sweep", "estimators"} & {alias.name for alias in node.names}
