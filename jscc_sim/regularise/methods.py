"""The methods that are compared: by name, with options in brackets, what builds each one's regulariser."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

from torch import nn

from jscc_sim.regularisers import (
    VAE,
    AdversarialAE,
    CovariancePenalty,
    JammingRegulariser,
    NoiseInjection,
    NoPenalty,
    Regulariser,
    Sinkhorn,
    SlicedNormality,
    SquaredNorm,
    WassersteinMMD,
)
from jscc_sim.regularisers.latent_power import LatentPower
from jscc_sim.spelling import Value, called, known

# Whose latents a mixture describes afterwards.
MIXTURES = ("mixture", "rae")

# The settings by default were chosen on MNIST's validation images, k = 8, by the least Fréchet distance.
METHODS: dict[str, Callable[..., Regulariser]] = {
    "jamming": JammingRegulariser.default,
    "jamming_paper": JammingRegulariser.paper,
    "vae": VAE,
    "wae": WassersteinMMD,
    "aae": AdversarialAE.default,
    "sliced": SlicedNormality,
    "sinkhorn": Sinkhorn,
    "covariance": CovariancePenalty,
    "infomax": NoiseInjection.default,
    "mixture": NoPenalty,
    "rae": SquaredNorm,
    "none": NoPenalty,
}
# Known from the study: the latents' dimension and an image's values. And what cannot be typed.
SIZES, OBJECTS = ("dim", "pixels"), ("prior",)
KINDS = {int: "a whole number", float: "a number", bool: "True or False", str: "a word"}
# What can stand for ``normaliser``.
NORMALISERS: dict[str, Callable[[], nn.Module]] = {"none": nn.Identity, "unit": LatentPower}


@dataclass(frozen=True)
class Method:
    """One of `METHODS` with ``options``, arguments of what builds it; the others keep their defaults."""

    name: str
    options: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``name`` or ``name(option=value, …)``, the options in any order; ValueError if it is no such thing."""
        name, options = called("method", text, METHODS)
        takes = options_of(name)
        if options and not takes:
            raise ValueError(f"{name} takes no options, got {text!r}")
        for option in options:
            known(f"option of {name}", option, takes)
        return cls(name, tuple(sorted(options.items())))

    def build(self, d: int, pixels: int) -> Regulariser:
        """The regulariser of ``d`` latents of images of ``pixels`` values; ValueError if an option is not for it."""
        build = METHODS[self.name]
        sizes = dict(zip(SIZES, (d, pixels), strict=True))
        given: dict[str, Any] = {name: sizes[name] for name in SIZES if name in inspect.signature(build).parameters}
        given |= dict(self.options)
        if (name := given.get("normaliser")) is not None:
            known("normaliser", str(name), NORMALISERS)
            given["normaliser"] = NORMALISERS[name]()
        for name, value in self.options:
            if (wanted := _wanted(build, name, value)) is not None:
                raise ValueError(f"{name} of {self.name} must be {wanted}, got {value!r}")
        return build(**given)

    def without(self, option: str) -> Self:
        """The same at its own value of an option."""
        return replace(self, options=tuple(pair for pair in self.options if pair[0] != option))

    def __str__(self) -> str:
        options = ",".join(f"{name}={value}" for name, value in self.options)
        return f"{self.name}({options})" if options else self.name


def _wanted(build: Callable[..., Regulariser], option: str, value: Value) -> str | None:
    """What the value of an option should have been, by the types of its parameter; None if it is."""
    if option == "normaliser":  # named here, in place of a module
        return None
    annotation = inspect.signature(build).parameters[option].annotation
    kinds: list[type] = []
    words: list[str] = []
    for kind in get_args(annotation) or (annotation,):
        (words if get_args(kind) else kinds).extend(get_args(kind) or (kind,))
    if value in words or type(value) in kinds or (float in kinds and type(value) is int):
        return None
    return " or ".join([*(KINDS[kind] for kind in kinds), *map(repr, words)])


def options_of(name: str) -> list[str]:
    """The options that can be given to a method."""
    return [option for option in inspect.signature(METHODS[name]).parameters if option not in SIZES + OBJECTS]


def split_methods(text: str) -> list[Method]:
    """The methods between the commas that stand outside brackets, once each."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return list(dict.fromkeys(map(Method.parse, parts)))
