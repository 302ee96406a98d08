"""Laws of the lines for images in bits: water-filling, hyperplanes against enumeration and closed forms, separation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from jscc_sim.theory.code_brackets import bec_achievable_error, bsc_achievable_error
from jscc_sim.theory.image_codes import (
    FLIPS,
    PAPER,
    hyperplanes,
    mean_image,
    rotated_axes,
    separation_distortion,
)
from jscc_sim.theory.limits import gaussian_distortion

VARIANCES = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6)
RATES = st.floats(0, 60)
CHANNELS = [(0.1, 0.0), (0.0, 0.3), (0.2, 0.1), (0.0, 0.0), (0.9, 0.0)]
# The largest standard deviation of `share_of_energy` over 40 other seeds, in the cases of the arcsine law.
SPREAD = 0.0021


def gaussian_images(count, variances, seed):
    return 3 + np.random.default_rng(seed).standard_normal((count, len(variances))) * np.sqrt(variances)


def fixed(train, test, n, components, flip=0.0, erase=0.0):
    return hyperplanes(train, test, n, flip, erase=erase, components=[components]).distortion


def share_of_energy(variances, n, flip, erase=0.0):
    """The distortion of as many components as there are, over that of the mean image."""
    train, test = (gaussian_images(20_000, variances, seed) for seed in (0, 1))
    energy = ((test - train.mean(0)) ** 2).sum(1).mean()
    return fixed(train, test, n, len(variances), flip, erase) / energy


class TestGaussianLine:
    @given(st.floats(1e-3, 1e3), st.integers(1, 9), RATES)
    def test_equal_variances_share_the_bits(self, variance, k, bits):
        closed = k * variance * 4 ** (-bits / k)
        assert gaussian_distortion([variance] * k, bits) == pytest.approx(closed, rel=1e-12)

    @settings(max_examples=30)
    @given(VARIANCES, st.floats(0, 8))
    def test_no_other_allocation_of_bits_is_better(self, variances, bits):
        variances = np.array(variances) / np.max(variances)
        k = len(variances)
        shares = optimize.minimize(
            lambda rates: variances @ 4.0**-rates,
            np.full(k, bits / k),
            jac=lambda rates: -np.log(4) * variances * 4.0**-rates,
            bounds=[(0, None)] * k,
            constraints={"type": "eq", "fun": lambda rates: rates.sum() - bits, "jac": np.ones_like},
            options={"ftol": 1e-12, "maxiter": 500},
        )
        best = gaussian_distortion(variances, bits)
        assert best == pytest.approx(shares.fun, rel=1e-4, abs=1e-6)
        assert best <= shares.fun + 1e-9

    @given(VARIANCES, RATES)
    def test_the_level_spends_the_bits(self, variances, bits):
        """From the slope ``dD/dR = −2 ln 2 · θ`` of a convex curve, between two rates close by."""
        near = bits + 1e-4
        high, low = gaussian_distortion(variances, [bits, near])
        level = (high - low) / 1e-4 / np.log(4)
        spent = 0.5 * np.log2(np.maximum(np.array(variances) / level, 1)).sum() if low > 1e-6 else bits
        assert spent == pytest.approx(bits, abs=1e-2)

    @given(VARIANCES, st.lists(RATES, min_size=2, max_size=9))
    def test_falls_from_the_mean_image_to_nothing(self, variances, bits):
        falling = gaussian_distortion(variances, [0, *sorted(bits), np.inf])
        assert (np.diff(falling) <= 0).all()
        assert falling[0] == pytest.approx(mean_image(variances), rel=1e-14)
        assert falling[-1] == 0

    def test_shapes_and_nothing_to_describe(self):
        assert gaussian_distortion([4, 1], np.zeros((2, 3))).shape == (2, 3)
        assert gaussian_distortion([4, 0, 1], 3) == gaussian_distortion([1, 4], 3)
        assert gaussian_distortion([0, 0], [1, 2]) == pytest.approx([0, 0])

    @pytest.mark.parametrize("wrong", [-1, np.nan])
    def test_refusals(self, wrong):
        with pytest.raises(ValueError, match="bits"):
            gaussian_distortion([1], wrong)
        for line in (mean_image, lambda variances: gaussian_distortion(variances, 1)):
            with pytest.raises(ValueError, match="variances"):
                line([1, wrong])


class TestHyperplanes:
    @pytest.mark.parametrize(("flip", "erase"), CHANNELS)
    def test_all_outcomes_of_the_channel_one_by_one(self, flip, erase):
        """Least squares over every outcome of 3 bits for every image, weighted by its probability."""
        train, test = (gaussian_images(count, [3, 2, 1], seed) ** 2 for seed, count in enumerate((40, 15)))
        mean = train.mean(0)
        axes = np.linalg.svd(train - mean)[2].T
        axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(3)])
        normals = axes[:, :2] @ rotated_axes(2, 3)
        law = {1.0: (1 - flip) * (1 - erase), -1.0: flip * (1 - erase), 0.0: erase}
        outcomes = np.array(list(itertools.product(law, repeat=3)))
        chances = np.prod(np.vectorize(law.get)(outcomes), 1)

        def heard(images):
            sides = np.where((images - mean) @ normals >= 0, 1.0, -1.0)
            words = (sides[:, None] * outcomes).reshape(-1, 3)
            return np.hstack([words, np.ones((len(words), 1))]), np.repeat(images, len(outcomes), 0)

        words, images = heard(train)
        roots = np.sqrt(np.tile(chances, len(train)))[:, None]
        weights = np.linalg.lstsq(roots * words, roots * images, rcond=None)[0]
        words, images = heard(test)
        errors = ((images - words @ weights) ** 2).sum(1) @ np.tile(chances, len(test)) / len(test)
        assert fixed(train, test, 3, 2, flip, erase) == pytest.approx(errors, rel=1e-9)

    @pytest.mark.parametrize(("flip", "erase"), [(0.5, 0.0), (0.0, 1.0), (0.5, 0.3)])
    def test_a_useless_channel_leaves_the_mean_image(self, flip, erase):
        train, test = gaussian_images(50, [4, 1], 0), gaussian_images(20, [4, 1], 1)
        measured = hyperplanes(train, test, 6, flip, erase=erase).distortion
        assert measured == pytest.approx(((test - train.mean(0)) ** 2).sum(1).mean(), rel=1e-12)

    def test_falls_with_bits_and_rises_with_noise(self):
        """On the images fitted, where least squares leaves nothing to chance."""
        train = gaussian_images(300, [8, 4, 2, 1], 0)
        errors = np.array([fixed(train, train, n, 3, [0.0, 0.1, 0.2, 0.3], 0.1) for n in range(1, 13)])
        assert (np.diff(errors, axis=0) < 1e-12).all()
        assert (np.diff(errors, axis=1) > 0).all()

    @pytest.mark.parametrize(("flip", "erase"), CHANNELS)
    @pytest.mark.parametrize(("variances", "n"), [([1, 1, 1, 1], 4), ([2], 5), ([4, 1, 0.25], 6), ([9, 4, 1], 3)])
    def test_gaussian_images_obey_the_arcsine_law(self, variances, n, flip, erase):
        """``E b_i b_j = (2/π) arcsin ρ_ij``, ``E u b_i = √(2/π) Λ w_i / √(w_iᵀ Λ w_i)`` (Van Vleck, Middleton, 1966).

        Within five standard deviations: one false alarm in a million.
        """
        axes = rotated_axes(len(variances), n)
        cross = np.diag(variances) @ axes / np.sqrt(np.diag(axes.T @ np.diag(variances) @ axes))
        correlation = cross.T @ np.linalg.solve(np.diag(variances), cross)
        bits = 2 / np.pi * np.arcsin(np.clip(correlation, -1, 1))
        kept = (1 - 2 * flip) * (1 - erase)
        heard = kept**2 * bits + (1 - erase - kept**2) * np.eye(n)
        told = kept**2 * 2 / np.pi * np.trace(cross @ np.linalg.pinv(heard, rcond=1e-6) @ cross.T)
        assert share_of_energy(variances, n, flip, erase) == pytest.approx(1 - told / sum(variances), abs=5 * SPREAD)

    def test_closed_forms_of_the_arcsine_law(self):
        """Independent bits of a white source, and one component's sign repeated; false alarms as above."""
        assert share_of_energy([1] * 4, 4, 0.1) == pytest.approx(1 - 2 / np.pi * 0.8**2, abs=5 * SPREAD)
        repeated = 5 * 0.8**2 / (5 * 0.8**2 + 1 - 0.8**2)
        assert share_of_energy([1], 5, 0.1) == pytest.approx(1 - 2 / np.pi * repeated, abs=5 * SPREAD)

    def test_test_images_choose_nothing(self):
        train = gaussian_images(400, [16, 8, 4, 2, 1], 0)
        flips = np.array([[0.0, 0.1], [0.3, 0.45]])
        one, other = (hyperplanes(train, gaussian_images(30, [1] * 5, seed), 8, flips) for seed in (1, 2))
        assert (one.components == other.components).all()
        assert (one.validation == other.validation).all()
        assert (one.distortion != other.distortion).all()
        assert one.components[0, 0] > one.components[1, 1]
        alone = [hyperplanes(train, train, 8, flips, components=[count]) for count in (3, 4, 5)]
        together = hyperplanes(train, train, 8, flips, components=(5, 3, 4))
        assert together.validation == pytest.approx(np.min([kind.validation for kind in alone], 0))
        for kind in alone:
            same = together.components == kind.components
            assert together.distortion[same] == pytest.approx(kind.distortion[same])

    def test_axes_are_orthogonal_and_nested(self):
        axes = rotated_axes(4, 10, seed=3)
        for first in (0, 4):
            square = axes[:, first : first + 4]
            assert square.T @ square == pytest.approx(np.eye(4), abs=1e-12)
        assert (rotated_axes(4, 6, seed=3) == axes[:, :6]).all()
        assert not np.allclose(rotated_axes(4, 10, seed=4), axes)
        for wrong in ((0, 3), (3, 0)):
            with pytest.raises(ValueError, match="whole number"):
                rotated_axes(*wrong)

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"train": np.zeros((9, 2))}, "train must be 10 or more"),
            ({"train": np.zeros(10)}, "train must be"),
            ({"train": np.full((10, 2), np.nan)}, "train must be"),
            ({"test": np.zeros((5, 3))}, "equally large, got 2 and 3"),
            ({"test": np.zeros((0, 2))}, "test must be"),
            ({"n": 0}, "n must be"),
            ({"flip": 1.1}, "flip must be in"),
            ({"erase": -0.1}, "erase must be in"),
            ({"components": []}, "components must be"),
            ({"components": [3]}, r"at most 2, an image's values, got \[3\]"),
            ({"components": [1.5]}, "components must be"),
        ],
    )
    def test_refusals(self, change, complaint):
        images = gaussian_images(10, [2, 1], 0)
        with pytest.raises(ValueError, match=complaint):
            hyperplanes(**{"train": images, "test": images, "n": 2, **change})


class TestSeparation:
    CODE = {bits: 50 * 2 ** (-bits / 6) for bits in range(41)}  # noqa: RUF012

    @settings(max_examples=40)
    @given(st.dictionaries(st.integers(1, 60), st.floats(0, 10)), st.integers(1, 50), st.floats(0, 1), st.booleans())
    def test_never_worse_than_what_is_lost_nor_better_than_the_source_code(self, distortions, n, noise, erased):
        least, bits = separation_distortion(
            distortions, n, 0 if erased else noise, lost=10, erase=noise if erased else 0
        )
        assert min([10, *distortions.values()]) - 1e-12 <= least <= 10 + 1e-12
        assert bits in {0, *distortions}

    @pytest.mark.parametrize("flip", [0, 1])
    @pytest.mark.parametrize("n", [1, 7, 40])
    def test_without_noise_it_is_the_source_code(self, n, flip):
        assert separation_distortion(self.CODE, n, flip, lost=50) == (pytest.approx(self.CODE[n]), n)

    def test_it_trades_bits_for_errors(self):
        noise = np.linspace(0, 0.5, 11)
        flipped = [separation_distortion(self.CODE, 40, flip, lost=50) for flip in noise]
        erased = [separation_distortion(self.CODE, 40, lost=50, erase=erase) for erase in noise]
        for line in (flipped, erased):
            assert (np.diff([point.distortion for point in line]) > 0).all()
            assert (np.diff([point.bits for point in line]) <= 0).all()
        # A BEC is a BSC of half the flips that tells where.
        assert all(e.distortion <= f.distortion for e, f in zip(erased[::2], flipped, strict=False))

    def test_every_rate_by_hand(self):
        for error, channel in ((bsc_achievable_error, {"flip": 0.1}), (bec_achievable_error, {"erase": 0.1})):
            wrong = {bits: min(float(error(40, 0.1, bits)), 1 - 0.9**bits) for bits in self.CODE}
            means = {bits: (1 - wrong[bits]) * D + wrong[bits] * 60 for bits, D in self.CODE.items()}
            best = min(means, key=means.__getitem__)
            assert separation_distortion(self.CODE, 40, lost=60, **channel) == (pytest.approx(means[best]), best)

    def test_refusals(self):
        with pytest.raises(ValueError, match="not both"):
            separation_distortion(self.CODE, 40, 0.1, lost=50, erase=0.1)
        for wrong, complaint in (({-1: 2.0}, "bits"), ({1.5: 2.0}, "bits"), ({1: np.nan}, "distortions")):
            with pytest.raises(ValueError, match=complaint):
                separation_distortion(wrong, 40, 0.1, lost=50)
        for change in ({"lost": np.inf}, {"lost": 1, "flip": 2}, {"lost": 1, "n": 0}):
            with pytest.raises(ValueError, match=f"{list(change)[-1]}.* must be"):
                separation_distortion(**{"distortions": self.CODE, "n": 40, "flip": 0.1, **change})


@pytest.mark.parametrize("methods", [pytest.param(m, id=f"{s}-{n}") for s, by in PAPER.items() for n, m in by.items()])
def test_published_errors_rise_with_noise_and_fall_with_method(methods):
    assert list(methods) == ["NECST", "ABF", "IABF"]
    table = np.array([[errors[flip] for flip in FLIPS] for errors in methods.values()])
    assert (np.diff(table, axis=1) > 0).all()
    assert (table[0] > table[1:]).all()
