"""Jamming policies that the catalog does not know: latents in a file, and what a factory of the user's makes."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from channels import Jammer
from jscc_sim.catalog.policies import POLICY_NAMES
from jscc_sim.certificates.latents import LatentPolicy
from jscc_sim.factory import is_factory, load_factory, said
from jscc_sim.seeds import seeded

LATENTS = ".npy"
TRIED_WORDS = 64


def is_own_policy(name: str) -> bool:
    """Whether a policy is given as ``FILE.npy``, latents ``(count, k)``, or as ``package.module:factory``."""
    return name.endswith(LATENTS) or (is_factory(name) and name.partition(":")[0] not in POLICY_NAMES)


def own_policy(name: str, k: int | None) -> tuple[nn.Module, int]:
    """The policy, and its word length: that of the latents, or the ``k``, or else 1, that the factory was asked for."""
    return _latents(name, k) if name.endswith(LATENTS) else _made(name, k or 1)


def _made(name: str, k: int) -> tuple[nn.Module, int]:
    factory, _ = load_factory(name)
    try:
        policy = factory(k)
    except (Exception, SystemExit) as error:  # a user's factory may raise anything
        raise ValueError(f"{name}({k}) failed: {said(error)}") from None
    if not isinstance(policy, nn.Module):
        raise ValueError(f"{name} must return a torch.nn.Module, got {type(policy).__name__}")
    _try(name, policy.eval(), k)
    return policy, k


def _try(name: str, policy: nn.Module, k: int) -> None:
    """ValueError if the policy does not jam words of ``k`` symbols."""
    with seeded(0), torch.no_grad():
        x = torch.randn(TRIED_WORDS, k)
        try:
            Jammer(policy, noise_power=1.0).transmit(x, x)
        except Exception as error:  # a user's policy may raise anything
            raise ValueError(f"the policy of {name} failed on words {tuple(x.shape)}: {said(error)}") from None


def _latents(name: str, k: int | None) -> tuple[nn.Module, int]:
    if not Path(name).is_file():
        raise FileNotFoundError(f"no latents at {name}: write them with numpy.save(file, latents)")
    try:
        latents = np.load(name, allow_pickle=False)
    except (ValueError, EOFError):
        raise ValueError(f"{name} is no array of numbers: write it with numpy.save(file, latents)") from None
    if not (latents.ndim == 2 and len(latents) and np.issubdtype(latents.dtype, np.floating)):
        wrong = f"{name} must hold latents (count, k) of floating point, got {latents.dtype} {latents.shape}"
        raise ValueError(f"{wrong}: save latents.reshape(len(latents), -1).astype(float)")
    if bad := int((~np.isfinite(latents)).any(1).sum()):
        raise ValueError(f"{name} holds {bad} latents of {len(latents)} that are NaN or infinite: leave them out")
    if k not in (None, latents.shape[1]):
        raise ValueError(f"{name} holds latents of {latents.shape[1]} symbols, not k={k}")
    return LatentPolicy(torch.from_numpy(latents.astype(np.float32))), latents.shape[1]
