"""What to hold a codec of images in n bits against: codes without a network, Gaussian limits, and published points.

Distortions are squared errors summed over an image's pixels, in the square of the pixels' unit. The bits cross a BSC
or a BEC. Of these lines, hyperplanes are measured, the mean image and the Gaussian line are computed from the
covariance's eigenvalues, and separation rests on the distortions of somebody's source code.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jscc_sim.theory.code_brackets import bec_achievable_error, bsc_achievable_error
from jscc_sim.theory.parameters import Array, count, power, probability

FLIPS = (0.1, 0.2, 0.3, 0.4)


def _at_flips(*errors: float) -> dict[float, float]:
    return dict(zip(FLIPS, errors, strict=True))


# Data set -> bits -> method -> flip -> test error, as Song et al. print it (AAAI 2020, arXiv 2004.01454); NECST is of
# Choi et al. (arXiv 1811.07557), ABF is IABF without its infomax term. Distortions of pixels in [0, 1], except for
# binary-mnist: Bernoulli cross-entropy in nats per pixel, although the caption there says otherwise.
PAPER: dict[str, dict[int, dict[str, dict[float, float]]]] = {
    "mnist": {
        100: {
            "NECST": _at_flips(14.439, 22.556, 34.377, 48.291),
            "ABF": _at_flips(13.369, 22.013, 33.319, 48.041),
            "IABF": _at_flips(13.251, 22.026, 33.176, 46.555),
        }
    },
    "binary-mnist": {
        100: {
            "NECST": _at_flips(0.116, 0.150, 0.193, 0.249),
            "ABF": _at_flips(0.114, 0.149, 0.191, 0.244),
            "IABF": _at_flips(0.113, 0.147, 0.189, 0.241),
        }
    },
    "cifar10": {
        500: {
            "NECST": _at_flips(63.238, 74.402, 89.619, 117.803),
            "ABF": _at_flips(58.992, 71.338, 83.192, 116.874),
            "IABF": _at_flips(55.351, 70.525, 83.193, 116.281),
        }
    },
    "omniglot": {
        200: {
            "NECST": _at_flips(24.693, 31.538, 39.657, 47.888),
            "ABF": _at_flips(24.192, 31.430, 39.039, 47.827),
            "IABF": _at_flips(24.132, 31.373, 38.936, 47.608),
        }
    },
}


class Hyperplanes(NamedTuple):
    """Per channel: the distortion of test images, the components chosen, and the distortion that chose them."""

    distortion: Array
    components: NDArray[np.int64]
    validation: Array


class Separation(NamedTuple):
    """The least mean distortion, and the bits of source code that give it."""

    distortion: float
    bits: int


def mean_image(variances: ArrayLike) -> float:
    """``Σ λ_i`` of the covariance's eigenvalues: the distortion of a receiver that always shows the mean image.

    ValueError unless every eigenvalue is finite and at least 0.

    >>> mean_image([4, 1, 0.25])
    5.25
    """
    return float(power("variances", variances).sum())


def rotated_axes(components: int, n: int, seed: int = 0) -> Array:
    """Unit vectors ``(components, n)``: the columns of random rotations, side by side until there are n.

    As many as there are components are orthogonal, and those of a smaller n are the first of a larger one. ValueError
    unless both are whole and at least 1.
    """
    components, n = int(count("components", components)), int(count("n", n))
    generator = np.random.default_rng(seed)
    squares = (generator.standard_normal((components, components)) for _ in range(-(-n // components)))
    return np.hstack([np.linalg.qr(square)[0] for square in squares])[:, :n]


def hyperplanes(
    train: ArrayLike,
    test: ArrayLike,
    n: int,
    flip: ArrayLike = 0.0,
    *,
    erase: ArrayLike = 0.0,
    components: Sequence[int] | None = None,
    seed: int = 0,
) -> Hyperplanes:
    """A code without a network: the sides of n random hyperplanes on which an image lies, and a linear receiver.

    Bit i is the sign of ``w_i · P(u − mean)``: P projects on the first principal components, unscaled, and ``w_i`` are
    `rotated_axes`, so that fewer components make a more redundant code. The receiver is the linear MMSE estimate from
    the training images' moments and the channel's: flips, then erasures, which it hears as 0. Over the channel's noise
    the average is exact. How many components, of those offered, is chosen per channel by the distortion of the last
    tenth of ``train``, after fitting to the rest: its order should be random. Then all of ``train`` is fitted.

    ``train`` and ``test (count, ...)`` are images of one shape; ``flip`` and ``erase (...)`` give results ``(...)``.
    By default n components are offered and fewer, in steps of √2 down to ``n/32``. ValueError for images that differ in
    size, for fewer than 10 to train on, and for impossible counts and probabilities. Sources: signs of rotated
    principal components, Gong and Lazebnik, CVPR 2011; as a code over noisy bits, derived for this project.
    """
    known, unseen = _vectors("train", train, 10), _vectors("test", test, 1)
    if known.shape[1] != unseen.shape[1]:
        raise ValueError(f"images of train and test must be equally large, got {known.shape[1]} and {unseen.shape[1]}")
    flips, erasures = np.broadcast_arrays(probability("flip", flip), probability("erase", erase))
    n, offered = int(count("n", n)), np.array(_offered(components, n, known.shape[1]))
    tenth = len(known) // 10
    fitted, held_out = known[:-tenth], known[-tenth:]

    def distortions(seen: Array, images: Array, choices: NDArray[np.int64]) -> Array:
        axes = _principal_axes(seen)
        codes = (axes[:, :choice] @ rotated_axes(choice, n, seed) for choice in choices.tolist())
        return np.array([_sign_distortion(seen, images, normals, flips, erasures) for normals in codes])

    trials = distortions(fitted, held_out, offered)
    chosen = offered[trials.argmin(0)]
    kinds, which = np.unique(chosen, return_inverse=True)
    tested = distortions(known, unseen, kinds)
    picked = np.take_along_axis(tested, which.reshape(1, *chosen.shape), 0)[0]
    return Hyperplanes(picked, chosen, trials.min(0))


def separation_distortion(
    distortions: Mapping[int, float], n: int, flip: float = 0.0, *, lost: float, erase: float = 0.0
) -> Separation:
    """``min (1−p) D(bits) + p·lost``: a source code of so many bits, then the best channel code known to exist.

    ``distortions`` are those of source codes heard without error, by their whole bits; 0 bits cost ``lost`` unless
    given there. p bounds the word error: that of random codes of n bits (`code_brackets`) or of bits sent uncoded,
    whichever is less, as random codes collide even without noise. ``lost`` is the distortion of a wrong word: the mean
    image's, V, if a genie tells the receiver, which favours separation; about ``2V − D`` if it shows what it decoded.
    Nature flips or erases, not both: ValueError then, and for impossible numbers.

    >>> separation_distortion({4: 2.0, 8: 1.0, 16: 0.5}, 16, 0.01, lost=5.0)
    Separation(distortion=1.074..., bits=8)
    """
    if min(probability("flip", flip), probability("erase", erase)) > 0:
        raise ValueError(f"nature flips or erases, not both: got flip {flip} and erase {erase}")
    offered = {0: lost, **distortions}
    bits = count("bits", sorted(offered), 0)
    heard = power("distortions", [offered[int(one)] for one in bits])
    wrong = _word_error(n, flip, erase, bits)
    means = (1 - wrong) * heard + wrong * power("lost", lost)
    best = int(means.argmin())
    return Separation(float(means[best]), int(bits[best]))


def _word_error(n: int, flip: float, erase: float, bits: Array) -> Array:
    coded = bec_achievable_error(n, erase, bits) if erase > 0 else bsc_achievable_error(n, flip, bits)
    noise = erase if erase > 0 else min(flip, 1 - flip)
    return np.minimum(coded, np.where(bits <= n, 1 - (1 - noise) ** bits, 1.0))


def _vectors(name: str, images: ArrayLike, least: int) -> Array:
    given = np.asarray(images, dtype=float)
    if given.ndim < 2 or len(given) < least or given[0].size == 0 or not np.isfinite(given).all():
        raise ValueError(f"{name} must be {least} or more finite images (count, ...), got shape {given.shape}")
    return given.reshape(len(given), -1)


def _offered(components: Sequence[int] | None, n: int, k: int) -> list[int]:
    if components is None:
        return sorted({min(k, int(np.ceil(n / 2 ** (step / 2)))) for step in range(11)})
    offered = count("components", components).astype(int).ravel().tolist()
    if not offered or max(offered) > k:
        raise ValueError(f"components must be one or more counts of at most {k}, an image's values, got {components}")
    return offered


def _principal_axes(images: Array) -> Array:
    """Eigenvectors of the covariance as columns ``(k, k)``, largest eigenvalue first."""
    mean = images.mean(0)
    axes = np.linalg.eigh(images.T @ images / len(images) - np.outer(mean, mean))[1][:, ::-1]
    # LAPACK leaves the sign of an eigenvector open: its largest entry shall be positive.
    return np.asarray(axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(len(axes))]))


class _Moments(NamedTuple):
    """Second moments of images u and bits b about fixed means: ``E|u|²``, ``E b bᵀ (n, n)`` and ``E u bᵀ (k, n)``."""

    energy: float
    bits: Array
    cross: Array


def _sign_distortion(train: Array, test: Array, normals: Array, flips: Array, erasures: Array) -> Array:
    """The distortion ``(...)`` of ``test`` per channel, from sides of planes ``normals (k, n)`` through the mean."""
    mean = train.mean(0)
    sides = np.where(train @ normals >= mean @ normals, 1.0, -1.0)
    balance = sides.mean(0)
    fitted = _moments(train, sides, mean, balance)
    measured = _moments(test, np.where(test @ normals >= mean @ normals, 1.0, -1.0), mean, balance)
    errors = [_linear_error(fitted, measured, *channel) for channel in zip(flips.flat, erasures.flat, strict=True)]
    return np.reshape(errors, flips.shape)


def _moments(images: Array, sides: Array, mean: Array, balance: Array) -> _Moments:
    bits = sides - balance
    cross = (images.T @ bits - np.outer(mean, bits.sum(0))) / len(images)
    return _Moments(float(np.square(images - mean).sum(1).mean()), bits.T @ bits / len(images), cross)


def _linear_error(fitted: _Moments, measured: _Moments, flip: float, erase: float) -> float:
    """Of the linear estimate that is best for the moments ``fitted``, where those ``measured`` hold."""
    kept = (1 - 2 * flip) * (1 - erase)  # of a bit's mean; what is heard has the variance 1 − erase − kept² beside it
    noise = (1 - erase - kept**2) * np.eye(len(fitted.bits))
    # Without noise, hyperplanes of one component repeat each other: a pseudo-inverse.
    inverse = np.linalg.pinv(kept**2 * fitted.bits + noise, rcond=1e-10, hermitian=True)
    weights = kept * fitted.cross @ inverse
    spread = weights @ (kept**2 * measured.bits + noise)
    return float(measured.energy - 2 * kept * (weights * measured.cross).sum() + (weights * spread).sum())
