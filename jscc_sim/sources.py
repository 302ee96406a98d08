"""Sources: what draws the words that are to be sent."""

import hashlib
import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from jscc_sim.data import load_images

Array = NDArray[np.float64]
# The covariance of larger words would take more than 2 GB.
MOST_CORRELATED = 2**14
MOST_SYMBOLS = 2**24


class Source(ABC):
    """Draws independent words ``u (words, k)`` of symbols from ``alphabet``."""

    alphabet: ClassVar[Literal["real", "bits"]]
    k: int

    @abstractmethod
    def draw(self, words: int) -> Tensor:
        """``u (words, k)``, from torch's generator."""


class Spectral(Source):
    """A real source whose mean and covariance are known exactly."""

    alphabet = "real"

    @property
    @abstractmethod
    def mean(self) -> Array:
        """The mean word, ``(k,)``."""

    @property
    @abstractmethod
    def karhunen_loeve(self) -> tuple[Array, Array]:
        """Eigenvalues ``(k,)`` of the covariance, largest first, and their eigenvectors as columns ``(k, k)``."""


class Gaussian(Spectral):
    """``u ~ N(0, covariance)``; without one, ``N(0, I_k)``."""

    derived = ("root", "karhunen_loeve")

    def __init__(self, k: int = 1, covariance: ArrayLike | None = None) -> None:
        self.covariance = None if covariance is None else _checked_covariance(covariance)
        self.k = checked_count("k", k if self.covariance is None else len(self.covariance))
        if self.covariance is not None:
            root = np.linalg.cholesky(self.covariance + 1e-14 * np.trace(self.covariance) * np.eye(self.k))
            self.root = torch.from_numpy(root.T.copy()).float()

    @property
    def is_white(self) -> bool:
        """Whether its symbols are independent, of variance one, because no covariance was given."""
        return self.covariance is None

    def draw(self, words: int) -> Tensor:
        """Gaussian words."""
        white = torch.randn(words, self.k)
        return white if self.is_white else white @ self.root

    @property
    def mean(self) -> Array:
        """Zero."""
        return np.zeros(self.k)

    @cached_property
    def karhunen_loeve(self) -> tuple[Array, Array]:
        """Of the covariance."""
        return _descending(np.eye(self.k) if self.covariance is None else self.covariance)

    def __repr__(self) -> str:
        digest = "" if self.covariance is None else f", covariance={_digest(self.covariance)!r}"
        return f"Gaussian(k={self.k}{digest})"


class Laplace(Source):
    """``k`` independent Laplace symbols of mean zero and variance one."""

    alphabet = "real"

    def __init__(self, k: int = 1) -> None:
        self.k = checked_count("k", k)

    def draw(self, words: int) -> Tensor:
        """The differences of two exponentials."""
        one, other = (torch.empty(words, self.k).exponential_() for _ in range(2))
        return (one - other) * math.sqrt(0.5)

    def __repr__(self) -> str:
        return f"Laplace(k={self.k})"


class Uniform(Source):
    """``k`` independent symbols, uniform on ``±√3``: mean zero and variance one."""

    alphabet = "real"

    def __init__(self, k: int = 1) -> None:
        self.k = checked_count("k", k)

    def draw(self, words: int) -> Tensor:
        """Independent symbols."""
        return (torch.rand(words, self.k) * 2 - 1) * math.sqrt(3)

    def __repr__(self) -> str:
        return f"Uniform(k={self.k})"


class Bits(Source):
    """``k`` fair bits, as 0.0 and 1.0.

    What follows is computed in ``dtype``. Float32 will do unless errors rarer than 1e-7 are sought: torch's normal
    numbers end at 5.77 standard deviations there, and at 8.57 in float64.
    """

    alphabet = "bits"

    def __init__(self, k: int = 1, dtype: torch.dtype = torch.float32) -> None:
        self.k, self.dtype = checked_count("k", k), dtype

    def draw(self, words: int) -> Tensor:
        """Fair independent bits, eight from each random byte."""
        count = words * self.k
        random = torch.empty(-(-count // 64), dtype=torch.int64).random_(-(2**63), None)
        octets = random.view(torch.uint8).unsqueeze(-1)
        bits = octets.bitwise_and(2 ** torch.arange(8, dtype=torch.uint8)).clamp_(max=1)
        return bits.view(-1)[:count].to(self.dtype).view(words, self.k)

    def __repr__(self) -> str:
        return f"Bits(k={self.k}{'' if self.dtype == torch.float32 else f', dtype={self.dtype}'})"


class Images(Spectral):
    """Images drawn with replacement from a set, as vectors of ``k`` pixels in [0, 1].

    The set is the whole population: its mean and covariance are exact, and so are curves made of them. It is one of a
    name, or ``pixels (count, height, width)`` or ``(count, height, width, 3)`` of bytes.
    """

    derived = ("is_binary", "karhunen_loeve")

    def __init__(self, name: str = "", pixels: NDArray[np.uint8] | None = None) -> None:
        pixels = load_images(name) if pixels is None else pixels
        if math.prod(pixels.shape[1:]) > MOST_CORRELATED:
            raise ValueError(f"images of {pixels.shape[1:]} are too large here: at most {MOST_CORRELATED} values each")
        self.name, self.shape = name, pixels.shape[1:]
        self.pixels = torch.from_numpy(pixels.reshape(len(pixels), -1).copy())
        self.k = self.pixels.shape[1]
        self.digest = hashlib.blake2b(pixels.tobytes(), digest_size=8).hexdigest()

    def draw(self, words: int) -> Tensor:
        """Pixels of randomly chosen images."""
        return self.pixels[torch.randint(len(self.pixels), (words,))].float() / 255

    @cached_property
    def is_binary(self) -> bool:
        """Whether its pixels are black and white: all 0 or 1."""
        return bool(((self.pixels == 0) | (self.pixels == 255)).all())

    @cached_property
    def mean(self) -> Array:
        """The mean image, ``(k,)``."""
        return self.pixels.double().mean(0).numpy() / 255

    @cached_property
    def karhunen_loeve(self) -> tuple[Array, Array]:
        """Of the set's covariance."""
        centred = self.pixels.numpy() / 255 - self.mean
        return _descending(centred.T @ centred / len(centred))

    def __repr__(self) -> str:
        return f"Images({self.name!r}, digest={self.digest!r})"


def checked_count(name: str, count: int) -> int:
    """``count`` itself, or a ValueError that names it unless it is at least 1 and words of it fit into memory."""
    if not count >= 1:
        raise ValueError(f"{name} must be at least 1, got {count}")
    if count > MOST_SYMBOLS:
        raise ValueError(f"{name} must be at most {MOST_SYMBOLS}, got {count}: longer words do not fit into memory")
    return count


def exponential_covariance(k: int, correlation: float) -> Array:
    """``ρ^|i−j|``, the covariance of ``k`` successive symbols of a first-order Gauss-Markov source of variance one."""
    if not -1 < correlation < 1:
        raise ValueError(f"the correlation of neighbours must lie between -1 and 1, got {correlation}")
    return np.asarray(correlation ** np.abs(np.subtract.outer(np.arange(k), np.arange(k))), dtype=float)


def _checked_covariance(covariance: ArrayLike) -> Array:
    matrix = np.asarray(covariance, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 1 <= len(matrix) <= MOST_CORRELATED:
        raise ValueError(f"a covariance is a square matrix, at most {MOST_CORRELATED} wide, got {matrix.shape}")
    if not (np.isfinite(matrix).all() and np.allclose(matrix, matrix.T)):
        raise ValueError("a covariance is finite and symmetric, but this one is not")
    least, trace = float(np.linalg.eigvalsh(matrix)[0]), float(np.trace(matrix))
    if not (trace > 0 and least >= -1e-9 * trace):
        raise ValueError(f"a covariance has no negative eigenvalue, but this one has {least:.3g}")
    return matrix


def _descending(covariance: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh(covariance)
    # LAPACK leaves the sign of an eigenvector open: its largest entry shall be positive.
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(vectors))])
    return np.maximum(values[::-1], 0), vectors[:, ::-1]


def _digest(array: Array) -> str:
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=8).hexdigest()


SOURCES: dict[str, type[Source]] = {
    "bits": Bits,
    "gaussian": Gaussian,
    "images": Images,
    "laplace": Laplace,
    "uniform": Uniform,
}
