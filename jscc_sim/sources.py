"""Sources: what draws the words that are to be sent."""

import hashlib
import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jscc_sim.data import load_images

# The covariance of larger images would take more than 2 GB.
MOST_PIXELS = 2**14


class Source(ABC):
    """Draws independent words ``u (words, k)`` of symbols from ``alphabet``."""

    alphabet: ClassVar[Literal["real", "bits"]]
    k: int

    @abstractmethod
    def draw(self, words: int) -> Tensor:
        """``u (words, k)``, from torch's generator."""


class Gaussian(Source):
    """``u ~ N(0, I_k)``."""

    alphabet = "real"

    def __init__(self, k: int = 1) -> None:
        self.k = checked_count("k", k)

    def draw(self, words: int) -> Tensor:
        """White Gaussian words."""
        return torch.randn(words, self.k)

    def __repr__(self) -> str:
        return f"Gaussian(k={self.k})"


class Bits(Source):
    """``k`` fair bits, as 0.0 and 1.0."""

    alphabet = "bits"

    def __init__(self, k: int = 1) -> None:
        self.k = checked_count("k", k)

    def draw(self, words: int) -> Tensor:
        """Fair independent bits."""
        return torch.randint(2, (words, self.k)).float()

    def __repr__(self) -> str:
        return f"Bits(k={self.k})"


class Images(Source):
    """Images drawn with replacement from a set, as vectors of ``k`` pixels in [0, 1].

    The set is the whole population: its mean and covariance are exact, and so are curves made of them.
    """

    alphabet = "real"

    def __init__(self, name: str = "") -> None:
        pixels = load_images(name)
        if math.prod(pixels.shape[1:]) > MOST_PIXELS:
            raise ValueError(f"images of {pixels.shape[1:]} are too large here: at most {MOST_PIXELS} values each")
        self.name, self.shape = name, pixels.shape[1:]
        self.pixels = torch.from_numpy(pixels.reshape(len(pixels), -1).copy())
        self.k = self.pixels.shape[1]
        self.digest = hashlib.blake2b(pixels.tobytes(), digest_size=8).hexdigest()

    def draw(self, words: int) -> Tensor:
        """Pixels of randomly chosen images."""
        return self.pixels[torch.randint(len(self.pixels), (words,))].float() / 255

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """The mean image, ``(k,)``."""
        return self.pixels.double().mean(0).numpy() / 255

    @cached_property
    def karhunen_loeve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Eigenvalues ``(k,)`` of the set's covariance, largest first, and their eigenvectors as columns ``(k, k)``."""
        centred = self.pixels.numpy() / 255 - self.mean
        values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
        return np.maximum(values[::-1], 0), vectors[:, ::-1]

    def __repr__(self) -> str:
        return f"Images({self.name!r}, digest={self.digest!r})"


def checked_count(name: str, count: int) -> int:
    """``count`` itself, or a ValueError that names it unless it is at least 1."""
    if not count >= 1:
        raise ValueError(f"{name} must be at least 1, got {count}")
    return count


SOURCES: dict[str, type[Source]] = {"gaussian": Gaussian, "bits": Bits, "images": Images}
