"""What a jammer sends when it knows nothing: samples of its signal, at its power, for bounds on any codec."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from channels import (
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    NeuralPolicy,
    PerSymbolPolicy,
    Policy,
    PulsedPolicy,
    TonePolicy,
    TwoPointPolicy,
    UniformPolicy,
)
from channels.jammer import answer
from channels.power import scrambled_normal_points
from jscc_sim.certificates.latents import EncoderPolicy, LatentPolicy

Array = NDArray[np.float64]
# Policies whose symbols are independent of each other by construction, and those whose words are.
INDEPENDENT = (GaussianPolicy, LaplacePolicy, PulsedPolicy, TwoPointPolicy, UniformPolicy)
KNOWN = (*INDEPENDENT, TonePolicy, NeuralPolicy, LatentPolicy, EncoderPolicy)
# Words on which an unknown policy must answer alike whatever it is shown, and how large they are.
SHOWN, SIZES = 256, (0.0, 1.0, 3.0, 30.0)


def why_unbounded(jammer: Jammer, k: int) -> str | None:
    """Why no bound on all codecs is known against this jammer, or None: it must see neither signal nor source."""
    policy = jammer.playing
    if isinstance(policy, Policy) and not policy.oblivious:
        return f"the jammer's {type(policy).__name__} sees the signal or the source"
    return None if is_known(policy) or looks_oblivious(policy, k) else "the jammer's answer depends on what it is shown"


def is_known(policy: nn.Module) -> bool:
    """Whether a policy is exactly one of this library's that sees nothing, its words independent of each other.

    Subclasses may do anything, and so may a method or a hook put on an instance.
    """
    if "forward" in vars(policy) or policy._forward_hooks or policy._forward_pre_hooks:
        return False
    if type(policy) is PerSymbolPolicy:
        return is_known(policy.policy)
    return type(policy) in KNOWN


@torch.no_grad()
def looks_oblivious(policy: nn.Module, k: int) -> bool:
    """Whether a module of one's own sends the same, bit for bit, whatever words it is shown, of channel and source.

    A test of behaviour on a few words, not a proof.
    """
    if not getattr(policy, "oblivious", True):
        return False
    answers = []
    for size in SIZES:
        words, sources = size * torch.randn(SHOWN, k), size * torch.randn(SHOWN, k)
        with torch.random.fork_rng([]):
            torch.default_generator.manual_seed(1)
            answers.append(answer(policy, words, sources))
    return all(torch.equal(sent, answers[0]) for sent in answers)


def single(jammer: Jammer, k: int) -> nn.Module | None:
    """The policy of one symbol, where the symbols of a word are independent and alike; else None."""
    policy = jammer.playing
    if type(policy) is PerSymbolPolicy:
        return policy.policy
    return policy if k == 1 or type(policy) in INDEPENDENT else None


def missed_power(jammer: Jammer, policy: nn.Module) -> float:
    """What a net's power may be beyond the measured one, at the jammer's power: rare pulses that no sample shows."""
    missed = policy.missed() if isinstance(policy, NeuralPolicy) else 0.0
    return jammer.jam_power * missed / float(jammer.unit.power)


@torch.no_grad()
def signals(jammer: Jammer, policy: nn.Module, words: int, k: int) -> Tensor:
    """``(words, k)`` signals of ``policy``, at the jammer's power, from torch's generator."""
    return math.sqrt(jammer.jam_power) * jammer.limit(policy(torch.zeros(words, k)))


@torch.no_grad()
def scalar_batches(jammer: Jammer, policy: nn.Module, batches: int, words: int) -> Iterator[Array]:
    """Independent batches of ``words`` signals each of a policy of single symbols.

    Each signal has the policy's law; within a batch those of a net come from the points of one scrambled Sobol
    sequence, with both signs of each, which makes the batch more even than independent ones.
    """
    for _ in range(batches):
        if type(policy) is NeuralPolicy:
            half = policy.shape(scrambled_normal_points(words // 2, 4 * policy.n).to(next(policy.parameters())))
            batch = math.sqrt(jammer.jam_power) * jammer.limit(torch.cat((half, -half)))
        else:
            batch = signals(jammer, policy, words, 1)
        yield batch.double().numpy().reshape(-1)
