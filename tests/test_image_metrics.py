"""Image metrics: laws of the distances, names that carry the extractor, and what each network must be able to do."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

from jscc_sim.data import describe, describe_weights, load_parts
from jscc_sim.image_metrics import (
    EXTRACTORS,
    Extractor,
    Reference,
    distances,
    extractor,
    fidelity,
    frechet_distance,
    kernel_distance,
    perceptual_distance,
    planes,
)
from jscc_sim.image_metrics.inception import resized
from jscc_sim.seeds import seeded
from jscc_sim.sources import Images

# Which weights of the home folder an extractor needs; those of the third come along.
NEEDS = {"fid_inception": "fid-inception", "lite0": "lite0", "mnist_cnn": None}


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def features(count: int = 500, d: int = 6, seed: int = 0) -> torch.Tensor:
    """Correlated and not of zero mean."""
    return noise(count, d, seed=seed) @ noise(d, d, seed=99) + 1


@pytest.fixture
def small() -> Extractor:
    """The four quarters' means of a 4x4 image."""
    return Extractor("small", nn.Sequential(nn.AvgPool2d(2), nn.Flatten()), 4)


class TestPlanes:
    @pytest.mark.parametrize(
        ("shape", "expected"),
        [((2, 5, 7), (2, 1, 5, 7)), ((2, 5, 7, 3), (2, 3, 5, 7)), ((2, 3, 5, 7), (2, 3, 5, 7)), ((2, 1, 5, 7),) * 2],
    )
    def test_order_their_dimensions_whether_bytes_or_floats(self, shape, expected):
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        assert planes(pixels).shape == expected
        torch.testing.assert_close(planes(pixels), planes(torch.from_numpy(pixels) / 255.0))
        torch.testing.assert_close(planes(pixels), planes(pixels / 255.0))

    def test_a_colour_stays_the_same_colour(self):
        red = np.zeros((1, 4, 4, 3), np.uint8)
        red[..., 0] = 255
        assert planes(red).mean((2, 3)).tolist() == [[1, 0, 0]]

    @pytest.mark.parametrize("worst", [math.nan, 255.0, -1.0])
    def test_refuse_other_values(self, worst):
        images = torch.zeros(2, 4, 4)
        images[0, 0, 0] = worst
        with pytest.raises(ValueError, match=r"floats in \[0, 1\]"):
            planes(images)

    @pytest.mark.parametrize("shape", [(4, 4), (2, 4, 4, 2), (1, 2, 3, 4, 4)])
    def test_refuse_other_shapes(self, shape):
        with pytest.raises(ValueError, match="images have shape"):
            planes(torch.zeros(shape))

    def test_read_only_bytes_give_no_warning(self, recwarn):
        planes(np.frombuffer(bytes(32), np.uint8).reshape(2, 4, 4))
        assert not recwarn.list


class TestFrechet:
    def test_of_equal_sets_is_zero(self):
        assert frechet_distance(features(), features()) == pytest.approx(0, abs=1e-9)

    def test_of_a_shift_is_its_square(self):
        shift = torch.arange(6.0).double()
        assert frechet_distance(features().double(), features() + shift) == pytest.approx(55, rel=1e-9)

    def test_of_a_scaling_is_the_closed_form(self):
        real = features().double()
        expected = 4 * real.mean(0).square().sum() + 4 * real.T.cov().trace()  # (3 − 1)² of each
        assert frechet_distance(real, 3 * real) == pytest.approx(float(expected), rel=1e-9)

    def test_is_symmetric(self):
        one, other = features(seed=1), features(seed=2) * 1.5
        assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-9)

    def test_does_not_hide_what_is_not_a_number(self):
        assert math.isnan(frechet_distance(features(), features() * math.nan))


class TestKernel:
    def test_of_one_law_is_near_zero_and_of_two_is_not(self):
        mean, spread = kernel_distance(features(2000, seed=1), features(2000, seed=2))
        assert abs(mean) < 3 * spread
        mean, spread = kernel_distance(features(2000, seed=1), features(2000, seed=2) + 0.5)
        assert mean > 10 * spread

    def test_is_drawn_by_its_seed_alone(self):
        before = torch.get_rng_state()
        given = features(100, seed=1), features(100, seed=2)
        assert kernel_distance(*given, seed=3) == kernel_distance(*given, seed=3) != kernel_distance(*given, seed=4)
        assert torch.equal(before, torch.get_rng_state())

    def test_of_the_fewest_images_is_finite(self):
        assert all(map(math.isfinite, kernel_distance(features(2), features(3))))


class TestDistances:
    def test_names_carry_the_extractor(self, small):
        found = distances(noise(20, 4, 4), noise(20, 4, 4), small)
        assert list(found) == ["fd_small", "kd_small", "kd_small_std"]
        assert found["fd_small"] == pytest.approx(0, abs=1e-9)

    def test_a_reference_measures_many(self, small):
        real = noise(20, 4, 4)
        reference = Reference(real, small)
        for seed in (1, 2):
            generated = noise(30, 4, 4, seed=seed)
            assert reference.distances(generated) == distances(real, generated, small)

    def test_agree_with_the_library_fed_by_the_extractor_itself(self, small):
        real, generated = ((255 * noise(40, 1, 4, 4, seed=seed)).round() / 255 for seed in (1, 2))
        library = FrechetInceptionDistance(feature=small, normalize=True)
        library.update(real, real=True)
        library.update(generated, real=False)
        assert distances(real, generated, small)["fd_small"] == pytest.approx(float(library.compute()), rel=1e-3)

    def test_are_those_of_the_images_as_they_would_be_saved(self, small):
        real, generated = noise(20, 4, 4), noise(20, 4, 4, seed=1)
        saved = (255 * generated).round().byte().numpy()
        assert distances(real, generated, small) == distances(real, saved, small)

    @pytest.mark.parametrize("count", [0, 1])
    def test_refuse_fewer_than_two(self, small, count):
        with pytest.raises(ValueError, match="needs"):
            distances(noise(20, 4, 4), noise(count, 4, 4), small)

    def test_refuse_features_that_are_not_what_was_said(self):
        wrong = Extractor("wrong", nn.Flatten(), 5)
        with pytest.raises(ValueError, match=r"wrong should give features of shape \(2, 5\), it gave \(2, 16\)"):
            wrong.of(noise(2, 4, 4))


class TestFidelity:
    def test_of_a_constant_error(self):
        found = fidelity(torch.full((3, 16, 16), 0.4), torch.full((3, 16, 16), 0.5))
        assert found["mse"].tolist() == pytest.approx([0.01] * 3, rel=1e-5)
        assert found["psnr"].tolist() == pytest.approx([20] * 3, rel=1e-5)

    def test_of_the_originals_themselves(self):
        images = noise(3, 16, 16, 3)
        found = {name: values.tolist() for name, values in fidelity(images, images).items()}
        assert found == {"mse": [0] * 3, "psnr": [math.inf] * 3, "ssim": pytest.approx([1] * 3)}

    def test_is_of_each_image_whatever_the_batch(self):
        originals, errors = noise(600, 12, 12) / 2, torch.linspace(0.1, 0.5, 600)
        found = fidelity(originals, originals + errors[:, None, None])
        assert float(found["mse"].mean()) == pytest.approx(float(errors.square().mean()), rel=1e-4)
        assert float(found["psnr"].mean()) == pytest.approx(float((-20 * errors.log10()).mean()), rel=1e-4)
        assert found["mse"].numpy() == pytest.approx(errors.square().numpy(), rel=1e-4)
        assert found["psnr"].numpy() == pytest.approx((-20 * errors.log10()).numpy(), rel=1e-4)
        alone = fidelity(originals[500:501], originals[500:501] + errors[500])
        assert float(alone["ssim"][0]) == pytest.approx(float(found["ssim"][500]), rel=1e-5)

    def test_refuses_images_that_do_not_correspond(self):
        with pytest.raises(ValueError, match="3 originals cannot be compared with 2"):
            fidelity(noise(3, 16, 16), noise(2, 16, 16))
        with pytest.raises(ValueError, match="originals are"):
            fidelity(noise(3, 16, 16), noise(3, 16, 12))
        with pytest.raises(ValueError, match=r"SSIM takes images of 6 × 6 or more, got 4 × 9"):
            fidelity(noise(3, 4, 9), noise(3, 4, 9))


class TestPerceptual:
    class Stages(nn.Module):
        """Two stages that can be computed by hand."""

        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Identity(), nn.AvgPool2d(2)

        def forward(self, images):
            return self.second(self.first(images)).mean((2, 3))

    @pytest.fixture
    def two(self):
        return Extractor("two", self.Stages(), 3, stages=("first", "second"), batch=2)

    def test_is_the_sum_over_stages_of_unit_features(self, two):
        red, green, other = torch.zeros(3, 5, 3, 4, 4)
        red[:, 0], green[:, 1] = 0.5, 0.1
        other[:, :2] = 0.3  # at 45 degrees from both
        assert perceptual_distance(red, green, two) == pytest.approx(4.0)
        assert perceptual_distance(red, other, two) == pytest.approx(2 * (2 - 2**0.5), rel=1e-5)
        assert perceptual_distance(red, red, two) == 0

    def test_grows_with_the_blur_where_a_network_looks(self):
        digits, images = extractor("mnist_cnn"), Images("").draw(20).reshape(20, 1, 28, 28)
        blurred = [nn.functional.avg_pool2d(images, size, 1, size // 2) for size in (1, 3, 5, 9)]
        found = [perceptual_distance(images, blur, digits) for blur in blurred]
        assert found[0] == 0
        assert found == sorted(found)
        assert digits.network.features[1]._forward_hooks == {}

    def test_says_what_it_cannot_compare(self, two):
        with pytest.raises(ValueError, match="mine shows nothing of its stages"):
            perceptual_distance(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4), Extractor("mine", nn.Identity(), 3))
        with pytest.raises(ValueError, match="1 originals cannot be compared with 2"):
            perceptual_distance(torch.rand(1, 3, 4, 4), torch.rand(2, 3, 4, 4), two)


def test_resizing_is_tensorflows():
    column = torch.tensor([0.0, 3.0, 6.0]).expand(1, 1, 3, 3)
    assert resized(column, 9)[0, 0, 0].tolist() == pytest.approx([0, 1, 2, 3, 4, 5, 6, 6, 6])
    same = noise(1, 3, 5, 5)
    torch.testing.assert_close(resized(same, 5), same)


def test_every_extractor_is_known_here():
    assert set(EXTRACTORS) == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
class TestEveryExtractor:
    @pytest.fixture
    def chosen(self, name) -> Extractor:
        if NEEDS[name] and not {state.name: state.right for state in describe_weights()}[NEEDS[name]]:
            pytest.skip(f"the weights are not here: jscc-sim data fetch {NEEDS[name]}")
        return extractor(name)

    def test_gives_features_of_grey_and_coloured_images(self, name, chosen):
        for images in (noise(2, 28, 28), noise(2, 28, 28, 3)):
            found = chosen.of(images)
            assert found.shape == (2, chosen.num_features)
            assert not torch.equal(found[0], found[1])

    def test_is_frozen(self, name, chosen):
        assert not any(module.training for module in chosen.train().network.modules())
        assert not any(parameter.requires_grad for parameter in chosen.parameters())
        images = noise(3, 28, 28)
        torch.testing.assert_close(chosen.of(images), chosen.of(images.flip(0)).flip(0), rtol=1e-4, atol=1e-4)

    def test_lends_its_name_to_its_metrics(self, name, chosen):
        assert chosen.name == name
        assert (chosen.frechet, chosen.kernel) == {
            "fid_inception": ("fid_inception", "kid_inception"),
            "lite0": ("fd_lite0", "kd_lite0"),
            "mnist_cnn": ("fd_mnist_cnn", "kd_mnist_cnn"),
        }[name]

    def test_says_in_one_line_that_its_weights_are_missing(self, name, tmp_path, monkeypatch):
        if NEEDS[name] is None:
            pytest.skip("its weights come along")
        monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
        with pytest.raises(FileNotFoundError) as caught:
            extractor(name)
        said = str(caught.value)
        assert f"jscc-sim data fetch {NEEDS[name]}" in said
        assert f"jscc-sim data import {NEEDS[name]} PATH" in said
        assert "\n" not in said

    def test_says_in_one_line_that_its_weights_are_wrong(self, name, tmp_path, monkeypatch):
        if NEEDS[name] is None:
            monkeypatch.setattr("jscc_sim.image_metrics.mnist_cnn.SHIPPED", tmp_path / "weights")
            (tmp_path / "weights").write_bytes(b"wrong")
        else:
            monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
            (state,) = (state for state in describe_weights() if state.name == NEEDS[name])
            state.path.parent.mkdir()
            state.path.write_bytes(bytes(state.size))
        with pytest.raises(ValueError, match=r"does not hold the .*weights of .*: its SHA-256 is") as caught:
            extractor(name)
        assert "\n" not in str(caught.value)


def test_an_unknown_extractor_is_refused_with_the_names():
    with pytest.raises(ValueError, match="no extractor 'vgg'; extractors are fid_inception, lite0, mnist_cnn"):
        extractor("vgg")


def test_mnist_cnn_reads_digits():
    """More than 98.7 % of the test images; at the measured 99.18 % this fails for wrong weights only."""
    if "test" not in {state.name: state.splits for state in describe()}["mnist"]:
        pytest.skip("the images are not here: jscc-sim data fetch mnist")
    test, chosen = load_parts("mnist").test, extractor("mnist_cnn")
    features = chosen.of(test.images)
    assert (features.std(0) > 0).all()
    guesses = chosen.network.classes(features).argmax(1).numpy()
    assert (guesses == test.labels).mean() >= 0.987


def test_mnist_cnn_refuses_other_sizes():
    with pytest.raises(ValueError, match="mnist_cnn sees images of 28x28, got 32x32"):
        extractor("mnist_cnn").of(noise(2, 32, 32))


def test_lite0_knows_a_palace_and_a_daisy():
    if not {state.name: state.right for state in describe_weights()}["lite0"]:
        pytest.skip("the weights are not here: jscc-sim data fetch lite0")
    pictures = pytest.importorskip("sklearn.datasets").load_sample_images().images
    middles = planes(np.stack([picture[:, 106:533] for picture in pictures]))
    assert extractor("lite0").network.classify(middles).argmax(1).tolist() == [698, 985]


def test_features_do_not_depend_on_the_generator(small):
    with seeded(1):
        one = small.of(noise(4, 4, 4))
    with seeded(2):
        assert torch.equal(one, small.of(noise(4, 4, 4)))
