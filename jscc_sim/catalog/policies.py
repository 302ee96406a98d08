"""Jammers' policies by name, as in ``pulsed:0.05``."""

import inspect
from collections.abc import Callable

from channels import (
    GaussianPolicy,
    LaplacePolicy,
    Policy,
    PulsedPolicy,
    ReactivePolicy,
    SourceAwarePolicy,
    TapPolicy,
    TonePolicy,
    TwoPointPolicy,
    UniformPolicy,
)
from jscc_sim.catalog.codecs import LEARNED
from jscc_sim.spelling import known, number


def learned() -> Policy:
    """``a = ±net(ξ)`` of the pair that learned the jamming game at each point, independent for each symbol."""
    raise ValueError("policy 'learned' belongs to a pair, which `make_cases` knows")


POLICY_NAMES: dict[str, Callable[..., Policy]] = {
    "gaussian": GaussianPolicy,
    "laplace": LaplacePolicy,
    LEARNED: learned,
    "pulsed": PulsedPolicy,
    "reactive": ReactivePolicy,
    "source-aware": SourceAwarePolicy,
    "tap": TapPolicy,
    "tone": TonePolicy,
    "two-point": TwoPointPolicy,
    "uniform": UniformPolicy,
}


def build_policy(name: str) -> Policy:
    """``name`` or ``name:number``, the number being the policy's first parameter."""
    kind, colon, text = name.partition(":")
    known("policy", kind, POLICY_NAMES)
    if not colon:
        return POLICY_NAMES[kind]()
    if not first_parameter(POLICY_NAMES[kind]):
        raise ValueError(f"policy {kind!r} takes no number, got {name!r}")
    return POLICY_NAMES[kind](number(f"policy {kind!r}", text))


def first_parameter(policy: Callable[..., Policy]) -> str:
    """The name of what stands behind a policy's colon, if anything does."""
    if not isinstance(policy, type) or "__init__" not in vars(policy):  # that of nn.Module takes anything
        return ""
    _self, *parameters = inspect.signature(vars(policy)["__init__"]).parameters
    return next(iter(parameters), "")
