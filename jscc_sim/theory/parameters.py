"""What the parameters of a curve must be, asked before anything is computed: powers, ratios, probabilities, counts."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def power(name: str, value: ArrayLike) -> Array:
    """``value`` as an array of finite powers, 0 or more; ValueError otherwise, NaN included.

    >>> power("noise_power", [0.1, -1])
    Traceback (most recent call last):
    ValueError: noise_power must be finite and at least 0, got -1.0
    """
    return _checked(name, value, "finite and at least 0", lambda given: (given >= 0) & np.isfinite(given))


def ratio(name: str, value: ArrayLike) -> Array:
    """``value`` as an array of ratios such as an SNR, 0 or more, infinity allowed; ValueError otherwise."""
    return _checked(name, value, "at least 0", lambda given: given >= 0)


def probability(name: str, value: ArrayLike) -> Array:
    """``value`` as an array of probabilities in [0, 1]; ValueError otherwise, NaN included."""
    return _checked(name, value, "in [0, 1]", lambda given: (given >= 0) & (given <= 1))


def error_level(name: str, value: ArrayLike) -> Array:
    """``value`` as an array of probabilities strictly between 0 and 1; ValueError otherwise."""
    return _checked(name, value, "strictly between 0 and 1", lambda given: (given > 0) & (given < 1))


def count(name: str, value: ArrayLike, least: int = 1) -> Array:
    """``value`` as an array (of floats) of whole numbers, ``least`` or more; ValueError otherwise."""
    meaning = f"a whole number, {least} or more"
    return _checked(
        name, value, meaning, lambda given: (given >= least) & (given == np.floor(given)) & np.isfinite(given)
    )


def fraction(part: Array, rest: Array, empty: float) -> Array:
    """``part/(part + rest)``, and ``empty`` where both are zero."""
    whole = part + rest
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), empty)


def _checked(name: str, value: ArrayLike, meaning: str, holds: Callable[[Array], NDArray[np.bool_]]) -> Array:
    given = np.asarray(value, dtype=float)
    wrong = ~holds(given)
    if wrong.any():
        raise ValueError(f"{name} must be {meaning}, got {given[wrong].flat[0]}")
    return given
