"""What a regulariser says of latents: brute force, known values, planted faults, bad input."""

import sys
import warnings

import numpy as np
import pytest
import torch
from scipy import stats

from jscc_sim.gaussianity import (
    LATENT,
    c2st,
    density_ratio,
    dpc,
    energy,
    energy_distance,
    energy_whitened,
    hz,
    latent_metrics,
    radial_chi2,
    whiten,
)
from jscc_sim.gaussianity.latents import PAIRED
from jscc_sim.gaussianity.statistics import mean_distance

# Fisher's Iris setosa, in millimetres: sepal length and width, petal length and width.
SETOSA = """
51 35 14 2 49 30 14 2 47 32 13 2 46 31 15 2 50 36 14 2 54 39 17 4 46 34 14 3 50 34 15 2 44 29 14 2
49 31 15 1 54 37 15 2 48 34 16 2 48 30 14 1 43 30 11 1 58 40 12 2 57 44 15 4 54 39 13 4 51 35 14 3
57 38 17 3 51 38 15 3 54 34 17 2 51 37 15 4 46 36 10 2 51 33 17 5 48 34 19 2 50 30 16 2 50 34 16 4
52 35 15 2 52 34 14 2 47 32 16 2 48 31 16 2 54 34 15 4 52 41 15 1 55 42 14 2 49 31 15 2 50 32 12 2
55 35 13 2 49 36 14 1 44 30 13 2 51 34 15 2 50 35 13 3 45 23 13 3 44 32 13 2 50 35 16 6 51 38 19 4
48 30 14 3 51 38 16 2 46 32 14 2 53 37 15 2 50 33 14 2
"""


def white(count: int, k: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, k))


def hz_law(count: int, k: int) -> tuple[float, float]:
    """Mean and variance for Gaussian samples, theorem 2.2 of Henze and Zirkler (1990)."""
    b = ((2 * k + 1) * count / 4) ** (2 / (k + 4)) / 2
    a, w = 1 + 2 * b, (1 + b) * (1 + 3 * b)
    mean = 1 - a ** (-k / 2) * (1 + k * b / a + k * (k + 2) * b**2 / (2 * a**2))
    variance = 2 * (1 + 4 * b) ** (-k / 2)
    variance += 2 * a**-k * (1 + 2 * k * b**2 / a**2 + 3 * k * (k + 2) * b**4 / (4 * a**4))
    variance -= 4 * w ** (-k / 2) * (1 + 3 * k * b**2 / (2 * w) + k * (k + 2) * b**4 / (2 * w**2))
    return mean, variance


class TestEnergy:
    def test_is_the_mean_over_all_pairs(self):
        z, k = white(1300, 3) * [1, 2, 0.5], 3
        among = np.mean([np.linalg.norm(z - one, axis=1).mean() for one in z])
        exact = 2 * mean_distance((z**2).sum(1), k).mean() - among - np.sqrt(2) * mean_distance(np.zeros(1), k)[0]
        assert energy(z) == pytest.approx(exact, abs=1e-12)

    def test_is_the_certificate_s_plus_the_words_paired_with_themselves(self):
        """``V = U + E‖z − z'‖/count``, the mean over different words."""
        z = white(2000, 4) + 0.1
        among = 2 * np.mean([np.linalg.norm(z - one, axis=1).sum() for one in z]) / (2 * (len(z) - 1))
        assert energy(z) == pytest.approx(energy_distance(z) + among / len(z), abs=1e-12)

    @pytest.mark.parametrize(("k", "offset"), [(1, 0.0), (8, 3.0), (100, 5.0), (101, 5.0), (512, 10.0), (512, 1e4)])
    def test_the_distance_to_a_gaussian_is_exact(self, k, offset):
        """Within 4.4 standard errors of a Monte Carlo mean (false-alarm rate 1e-5)."""
        shifted = white(20_000, k, seed=2)
        shifted[:, 0] += offset
        lengths = np.linalg.norm(shifted, axis=1)
        error = 4.4 * lengths.std() / np.sqrt(len(lengths))
        assert mean_distance(np.array([offset**2]), k)[0] == pytest.approx(lengths.mean(), abs=error)

    def test_formula_and_expansion_meet(self, monkeypatch):
        squares = np.array([0.0, 10, 100, 1000])
        formula = mean_distance(squares, 100)
        monkeypatch.setattr(sys.modules[mean_distance.__module__], "MANY", 10)
        assert mean_distance(squares, 100) == pytest.approx(formula, rel=1e-6)

    def test_of_an_offset_in_one_dimension(self):
        """``E = 2 ∫ (F − Φ)² dx``, within 5 % at 20,000 words (more than five standard errors)."""
        x = np.linspace(-10, 10, 4001)
        exact = 2 * ((stats.norm.cdf(x - 0.5) - stats.norm.cdf(x)) ** 2).sum() * (x[1] - x[0])
        assert energy(white(20_000, 1) + 0.5) == pytest.approx(exact, rel=0.05)

    def test_whitened_sees_shape_alone(self):
        z = white(3000, 3)
        mixed = z @ np.array([[2.0, 1, 0], [0, 0.3, 0], [1, 0, 1]]) + 4
        assert energy_whitened(mixed) == pytest.approx(energy_whitened(z), rel=1e-6)
        assert energy(mixed) > 100 * energy(z)


class TestHenzeZirkler:
    def test_of_setosa_is_that_of_the_r_package_mvn(self):
        """Korkmaz, Goksuluk and Zararsiz, R Journal 6/2 (2014): 0.9488."""
        assert hz(np.array(SETOSA.split(), dtype=float).reshape(50, 4)) == pytest.approx(0.9488, abs=5e-5)

    def test_is_the_weighted_distance_of_characteristic_functions(self):
        z = whiten(white(40, 2) ** 3)
        beta = (5 * 40 / 4) ** (1 / 6) / np.sqrt(2)
        axis = np.linspace(-8, 8, 401) * beta
        t = np.stack(np.meshgrid(axis, axis), -1)
        gap = np.abs(np.exp(1j * t @ z.T).mean(-1) - np.exp(-(t**2).sum(-1) / 2)) ** 2
        weight = stats.norm.pdf(t, scale=beta).prod(-1)
        assert hz(z) == pytest.approx(40 * (gap * weight).sum() * (axis[1] - axis[0]) ** 2, rel=1e-6)

    @pytest.mark.parametrize(("count", "k"), [(300, 2), (600, 8)])
    def test_of_gaussian_samples_has_the_mean_and_spread_of_theory(self, count, k):
        """The mean within 4.4 standard errors plus 0.01 (the theorem is asymptotic), false-alarm rate 1e-5."""
        mean, variance = hz_law(count, k)
        found = [hz(white(count, k, seed)) for seed in range(100)]
        assert np.mean(found) == pytest.approx(mean, abs=4.4 * np.sqrt(variance / 100) + 0.01)
        assert np.std(found) == pytest.approx(np.sqrt(variance), rel=0.4)


class TestLengthsAndCorrelations:
    def test_the_radius_is_that_of_scipy(self):
        z = white(500, 5) * 1.1
        assert radial_chi2(z) == pytest.approx(stats.kstest((z**2).sum(1), stats.chi2(5).cdf).statistic, abs=1e-12)

    def test_the_determinant_is_that_of_numpy(self):
        z = white(500, 4) @ np.triu(np.ones((4, 4))) * [1, 2, 3, 1e-3]
        assert dpc(z) == pytest.approx(np.linalg.det(np.corrcoef(z.T)), rel=1e-9)
        assert dpc(z[:, :1]) == pytest.approx(1, rel=1e-12)
        assert dpc(z * [1, 1, 1, 0]) == 0


class TestClassifier:
    def test_cannot_tell_gaussians_apart(self):
        """Within 4.4 standard deviations each (false-alarm rate 2e-4 of twenty)."""
        assert all(abs(c2st(white(2000, 4, seed)) - 0.5) < 4.4 * 0.5 / np.sqrt(2000) for seed in range(20))

    @pytest.mark.parametrize("offset", [0.5, 2.0])
    def test_is_nearly_the_best_test_of_an_offset(self, offset):
        """Bayes: ``Φ(offset/2)``; no more than 4.4 standard errors above it (1e-5), and 0.02 below it in addition."""
        best, error = stats.norm.cdf(offset / 2), 4.4 * 0.5 / np.sqrt(8000)
        assert best - error - 0.02 < c2st(white(8000, 4) + np.array([offset, 0, 0, 0])) < best + error

    def test_sees_a_shape_that_coordinates_do_not_show(self):
        z = white(6000, 2)
        z[:, 1] = np.sign(z[:, 1]) * np.abs(z[:, 0])
        assert c2st(z) > 0.8

    def test_always_says_the_same_and_leaves_the_generator_alone(self):
        torch.manual_seed(3)
        before = torch.get_rng_state()
        assert c2st(white(200, 2)) == c2st(white(200, 2))
        assert torch.equal(before, torch.get_rng_state())

    def test_the_best_discriminator_gives_the_divergence(self):
        """Of N(1, 1) from N(0, 1): 1/2 nat, and accuracy Φ(1/2), within 4.4 standard errors (1e-5)."""
        torch.manual_seed(0)
        prior, z = torch.randn(40_000, 1), torch.randn(40_000, 1) + 1
        found = density_ratio(0.5 - prior, 0.5 - z)
        assert found["log_density_ratio"] == pytest.approx(0.5, abs=4.4 / 200)
        assert found["accuracy"] == pytest.approx(stats.norm.cdf(0.5), abs=4.4 * 0.5 / np.sqrt(80_000))

    def test_one_that_knows_nothing_is_right_half_the_time(self):
        assert density_ratio(torch.zeros(3), torch.zeros(5)) == {"accuracy": 0.5, "log_density_ratio": 0.0}
        with pytest.raises(ValueError, match="finite logits"):
            density_ratio(torch.zeros(3), torch.tensor([float("nan")]))


def curved(z: np.ndarray) -> np.ndarray:
    return np.column_stack((z[:, 0], (z[:, 1] + 0.5 * (z[:, 0] ** 2 - 1)) / np.sqrt(1.5), z[:, 2:]))


class TestLatentMetrics:
    @pytest.mark.slow
    @pytest.mark.parametrize("k", [1, 2, 8])
    def test_a_gaussian_is_near_its_nulls(self, k):
        """Within six standard deviations, taken from twenty other samples (false-alarm rate about 1e-5 each)."""
        found = latent_metrics(white(1500, k))
        others = [latent_metrics(white(1500, k, seed)) for seed in range(2, 22)]
        for name in LATENT:
            spread = [other[name] for other in others]
            for value in (found[name], found[f"{name}_null"]):
                assert abs(value - np.mean(spread)) <= 6 * np.std(spread) + 1e-12

    @pytest.mark.parametrize(
        ("spoil", "seen_by"),
        [
            (lambda z: z + 0.3, {"ks", "energy", "radial_chi2"}),
            (lambda z: z * 1.3, {"ks", "energy", "radial_chi2"}),
            (curved, {"energy", "energy_whitened", "hz"}),
            (lambda z: np.sqrt(3) * (2 * stats.norm.cdf(z) - 1), {"energy_whitened", "hz", "radial_chi2"}),
            (lambda z: 2 * z / np.linalg.norm(z, axis=1, keepdims=True), {"radial_chi2", "energy_whitened"}),
        ],
    )
    def test_see_planted_faults(self, spoil, seen_by):
        """At 4,000 words, each is twice its null or more, `hz` half as much again: over ten deviations."""
        found = latent_metrics(spoil(white(4000, 4)))
        for name in seen_by:
            assert found[name] > (1.5 if name == "hz" else 2) * found[f"{name}_null"]

    def test_correlation_shows_in_the_determinant(self):
        z = white(4000, 3)
        z[:, 1] = 0.6 * z[:, 0] + 0.8 * z[:, 1]
        assert latent_metrics(z)["dpc"] == pytest.approx(1 - 0.36, abs=0.06)

    @pytest.mark.parametrize(
        "flat", [lambda z: z[:, [0, 1, 0]], lambda z: z * [1, 1, 0], lambda z: 0 * z, lambda z: z * [1, 1, 1e-9]]
    )
    def test_rank_deficient_latents_bring_one_warning(self, flat):
        with pytest.warns(UserWarning, match="latents fill only [02] of 3 dimensions") as warned:
            found = latent_metrics(flat(white(500, 3)))
        assert len(warned) == 1
        assert np.isfinite(list(found.values())).all()
        assert found["dpc"] == pytest.approx(0, abs=1e-9)
        assert found["energy_whitened"] > 10 * found["energy_whitened_null"]

    def test_full_rank_brings_none(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            latent_metrics(white(100, 3) * [1, 1, 1e-3])

    def test_long_samples_are_read_from_end_to_end(self):
        z = white(PAIRED + 5000, 2)
        z[PAIRED:] += 3
        assert energy(z) > 0.3

    def test_float32_and_lists_will_do(self):
        z = white(100, 2).astype(np.float32)
        assert latent_metrics(z) == latent_metrics(z.tolist())

    def test_refuses_nonsense(self):
        for shape in ((10,), (3, 1), (15, 8), (0, 2), (4, 2, 2)):
            with pytest.raises(ValueError, match="count at least 4 and 2k"):
                latent_metrics(np.zeros(shape))
        bad = white(100, 2)
        bad[3, 1], bad[7] = np.nan, np.inf
        with pytest.raises(ValueError, match="2 of 100 hold NaN or infinity"):
            latent_metrics(bad)
