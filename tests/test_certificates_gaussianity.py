"""What a certificate says of a jammer's law: statistics with their values for a true Gaussian sample."""

import numpy as np
import pytest
from scipy import stats

from jscc_sim.gaussianity import DISTANCES, STATISTICS, ks, statistics

WORDS = 20_000
ONES = {"radial_ratio", "covariance_min", "covariance_max"}


def white(k: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((WORDS, k))


@pytest.mark.parametrize("k", [1, 4])
def test_a_gaussian_is_near_its_nulls(k):
    """Within 0.1, more than five standard errors of any of them."""
    found = statistics(white(k))
    for name in STATISTICS:
        assert found[name] == pytest.approx(float(name in ONES), abs=0.1)
        assert found[f"{name}_null"] == pytest.approx(float(name in ONES), abs=0.1)


@pytest.mark.parametrize(
    ("spoil", "seen_by", "far"),
    [
        (lambda z: z + 0.3, "mean_offset", 0.25),
        (np.sign, "excess_kurtosis", 1.5),
        (np.sign, "energy_distance", 0.005),
        (lambda z: 2 * z / np.linalg.norm(z, axis=1, keepdims=True), "radial_ratio", 0.9),
        (lambda z: z * [1, 1, 1, 0.1], "covariance_min", 0.9),
        (lambda z: z * [1, 1, 1, 2], "covariance_max", 2.5),
    ],
)
def test_each_sees_what_it_is_for(spoil, seen_by, far):
    assert abs(statistics(spoil(white(4)))[seen_by] - float(seen_by in ONES)) > far


def test_the_kolmogorov_smirnov_distance_is_that_of_scipy():
    sample = white(2) * [1, 1.3]
    assert ks(sample) == pytest.approx(max(stats.kstest(column, "norm").statistic for column in sample.T), abs=1e-12)


def test_distances_are_among_them():
    assert DISTANCES.items() <= STATISTICS.items()
