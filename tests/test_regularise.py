"""Studies: what is measured, what is kept and comes back, and what becomes of the latents."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from channels import Jammer
from jscc_sim.autoencoders import Schedule
from jscc_sim.case import Case
from jscc_sim.certificates import certify
from jscc_sim.codecs import Linear
from jscc_sim.data.parts import Part, Parts
from jscc_sim.image_metrics import Extractor, Reference, planes, shape_of
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.regularise import (
    METHODS,
    Study,
    by_weight,
    conduct,
    default_extractor,
    encoder_policy,
    exhibit,
    load_model,
    recall,
    save,
    split_methods,
    table,
)
from jscc_sim.regularise.exhibits import arc
from jscc_sim.regularisers.priors import PRIORS
from jscc_sim.sources import Gaussian

KEYS = {
    "method",
    "seed",
    "mse",
    "fd",
    "fd_fitted",
    "fd_reconstructed",
    "hz",
    "ks",
    "ks_train",
    "energy_whitened",
    "dpc",
    "seconds_per_epoch",
}


def part(count: int, seed: int) -> Part:
    """Images of 6×6 that differ in brightness and slope."""
    rng = np.random.default_rng(seed)
    bright, slope = rng.uniform(0.3, 0.7, (2, count, 1, 1))
    ramp = np.linspace(-0.4, 0.4, 6)[None, None]
    return Part((255 * (bright + slope * ramp).repeat(6, 1)).round().astype(np.uint8), rng.integers(0, 10, count))


PARTS = Parts(part(96, 0), part(40, 1), part(48, 2))
STUDY = Study("ramps", "none", 2, schedule=Schedule(2, 16))


@pytest.fixture(scope="module")
def reference():
    pool = torch.nn.Sequential(torch.nn.AvgPool2d(3), torch.nn.Flatten())
    return Reference(PARTS.test.images, Extractor("pool", pool, 4))


@pytest.fixture(scope="module")
def studied(reference):
    return conduct(STUDY, PARTS, reference)


class TestStudy:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"method": "gan"}, "no method 'gan': there are aae, covariance, infomax, jamming"),
            ({"method": "jaming"}, "no method 'jaming': did you mean 'jamming'"),
            ({"method": "jamming(hiden=3)"}, "no option of jamming 'hiden': did you mean 'hidden'"),
            ({"method": "jamming(3)"}, r"'jamming\(3\)' is no method: write name or name\(option=value,option=value\)"),
            ({"method": "jamming(hidden=3"}, "no method: write name or name"),
            ({"method": "jamming(hidden=[3])"}, "no method: write name or name"),
            ({"method": "jamming(hidden=open('x'))"}, "no method: write name or name"),
            ({"method": "jamming(hidden=many)"}, "hidden of jamming must be a whole number, got 'many'"),
            ({"method": "none(weight=1)"}, "none takes no options"),
            ({"method": "sliced(normaliser=power)"}, "no normaliser 'power'"),
            ({"method": "jamming(hidden=0)"}, "hidden must be at least 1, got 0"),
            ({"method": "jamming(signal=0)"}, "signal must be positive and finite, got 0"),
            ({"method": "jamming(weight=none)"}, "weight of jamming must be a number or 'auto', got 'none'"),
            ({"method": "jamming(updates=1.5)"}, "updates of jamming must be a whole number, got 1.5"),
            ({"method": "jamming(updates=True)"}, "updates of jamming must be a whole number, got True"),
            ({"method": "jamming(noise=-1)"}, "noise must be positive and finite, got -1"),
            ({"method": "aae(hidden=0)"}, "hidden must be at least 1, got 0"),
            ({"method": "wae(kernel=3)"}, "kernel of wae must be a word, got 3"),
            ({"method": "jamming(dim=3)"}, "no option of jamming 'dim'"),
            ({"method": "vae(weight=-1)"}, "weight and warmup must be 0 or more"),
            ({"prior": "cauchy"}, "no prior is called 'cauchy'"),
            ({"prior": "ring", "k": 3}, "prior ring has blocks of 2 latents, k=3 is no multiple of it"),
            ({"family": "vit"}, "no family is called 'vit'"),
            ({"split": "train"}, "no split is called 'train': choose from test, validation"),
            ({"extractor": "vgg"}, "no extractor is called 'vgg'"),
            ({"k": 0}, "k, the number of latents, must be at least 1, got 0"),
            ({"images": 0}, "must be at least 1, got 0"),
            ({"judged_images": 0}, "judged_images, how many at most, must be at least 1, got 0"),
        ],
    )
    def test_refuses(self, given, said):
        with pytest.raises(ValueError, match=said):
            replace(STUDY, **given)

    def test_refuses_sets_that_are_too_small(self, reference):
        with pytest.raises(ValueError, match="10 images do not make a batch of 16"):
            conduct(replace(STUDY, images=10), PARTS, reference)
        with pytest.raises(ValueError, match="40 validation images are too few to judge k=21"):
            conduct(replace(STUDY, k=21, split="validation"), PARTS, reference)

    @pytest.mark.parametrize("method", METHODS)
    def test_says_its_weight(self, method):
        own = replace(STUDY, method=method)
        assert own.describe()["weight"] == own.model((1, 6, 6)).reg.weight
        assert json.loads(json.dumps(own.describe())) == own.describe()

    def test_options_of_a_method_stand_in_its_name(self):
        one, two = (
            replace(STUDY, method=f" jamming ({said})") for said in ("weight=.5, hidden=7", "hidden=7,weight=0.5")
        )
        assert one == two
        assert one.name == "jamming(hidden=7,weight=0.5)-0"
        assert one.describe()["weight"] == 0.5
        reg = one.model((1, 6, 6)).reg
        assert (reg.weight, reg.codec.decoder.net[0].out_features) == (0.5, 7)
        auto, paper = (replace(STUDY, method=name) for name in ("jamming(weight=auto)", "jamming_paper(hidden=9)"))
        assert auto.model((1, 6, 6)).reg.ascent is not None
        assert paper.model((1, 6, 6)).reg.jammer.jam_power == 1

    def test_methods_stand_between_commas(self):
        found = split_methods("wae(kernel=rbf,weight=1), none,wae(weight=1, kernel=rbf)")
        assert list(map(str, found)) == ["wae(kernel=rbf,weight=1)", "none"]

    def test_describing_it_draws_nothing(self):
        torch.manual_seed(0)
        replace(STUDY, method="aae").describe()
        drawn = torch.rand(1)
        torch.manual_seed(0)
        assert torch.rand(1) == drawn

    def test_its_images(self):
        assert replace(STUDY, images=20).train(PARTS).shape == (20, 1, 6, 6)
        assert len(replace(STUDY, split="validation").judged(PARTS)) == 40
        assert len(replace(STUDY, judged_images=30).judged(PARTS)) == 30
        assert shape_of(np.zeros((1, 4, 5, 3), np.uint8)) == (3, 4, 5)
        assert [default_extractor(shape) for shape in ((1, 28, 28), (3, 32, 32))] == ["mnist_cnn", "lite0"]


class TestConduct:
    @pytest.mark.parametrize("method", METHODS)
    def test_measures_every_method(self, method, reference):
        study = replace(STUDY, method=method, schedule=Schedule(1, 16))
        result = conduct(study, PARTS, reference).result
        assert result.keys() >= KEYS | {"fd_pool", "fd_pool_fitted", "kd_pool", "hz_null", "family", "k", "epochs"}
        assert all(np.isfinite(value) for value in result.values() if isinstance(value, float))
        for kind in ("", "_fitted", "_reconstructed"):
            assert result[f"fd{kind}"] == result[f"fd_pool{kind}"]

    def test_repeats_itself(self, studied, reference):
        torch.manual_seed(5)
        again = conduct(STUDY, PARTS, reference).result
        assert again | {"seconds_per_epoch": 0} == studied.result | {"seconds_per_epoch": 0}

    def test_is_judged_by_the_images_of_its_split(self, studied, reference):
        split = conduct(replace(STUDY, split="validation"), PARTS, reference)
        x = planes(PARTS.validation.images)
        assert split.result["mse"] == pytest.approx(float((split.model(x) - x).square().mean().detach()), rel=1e-6)
        assert split.result["mse"] != studied.result["mse"]

    def test_measures_the_reconstruction(self, studied):
        x = planes(PARTS.test.images)
        with torch.no_grad():
            wanted = torch.nn.functional.mse_loss(studied.model(x), x)
        assert studied.result["mse"] == pytest.approx(float(wanted), rel=1e-6)


class TestPriors:
    @pytest.mark.slow
    @pytest.mark.parametrize("prior", ["uniform", "ring"])
    def test_the_decoder_sees_the_prior(self, prior, reference, tmp_path):
        studied = conduct(replace(STUDY, prior=prior), PARTS, reference)
        assert 0 < studied.result["ks_prior_null"] < 0.3
        save(studied, tmp_path)
        x, model = planes(PARTS.test.images), load_model(tmp_path)
        assert torch.equal(model(x), studied.model(x))
        shown = exhibit(tmp_path, PARTS.test.images).latents
        assert np.allclose(shown, PRIORS[prior]().from_gaussian(studied.latents), atol=1e-5)
        assert "KS to the prior" in table([studied.result])

    def test_a_product_prior_is_as_far_as_the_gaussian(self, reference):
        """The map is monotone, coordinate by coordinate: KS does not change, but for a million draws in place of Φ."""
        result = conduct(replace(STUDY, prior="laplace"), PARTS, reference).result
        assert result["ks_prior"] == pytest.approx(result["ks"], abs=0.003)


class TestWarmUp:
    @pytest.mark.parametrize(("method", "used"), [("jamming", 6), ("jamming(warmup=50)", 50), ("wae", 0)])
    def test_it_is_over_by_half_of_the_training_unless_it_is_given(self, method, used, reference):
        """Two epochs of six batches."""
        study = replace(STUDY, method=method, schedule=Schedule(2, 16))
        assert conduct(study, PARTS, reference).result["warmup_used"] == used

    def test_the_weight_that_was_found_is_told(self, reference):
        found = conduct(replace(STUDY, method="jamming(weight=auto)"), PARTS, reference).result
        given = conduct(replace(STUDY, method="jamming(weight=0.3)"), PARTS, reference).result
        assert found["weight_found"] == pytest.approx(0.01, rel=0.5)  # where it starts
        assert given["weight_found"] == 0.3
        lines = by_weight([found, given])
        assert list(lines) == ["jamming(weight=auto)", "jamming"]


class TestFolder:
    @pytest.mark.parametrize("method", METHODS)
    def test_the_model_comes_back(self, method, reference, tmp_path):
        study = replace(STUDY, method=method, schedule=Schedule(1, 16), seed=3)
        studied = conduct(study, PARTS, reference)
        save(studied, tmp_path)
        x = planes(PARTS.test.images)
        model = load_model(tmp_path)
        assert torch.equal(model(x), studied.model(x))
        kept, means = np.load(tmp_path / "latents.npy"), model.latents(x).detach()
        assert np.allclose(kept, means) == (method != "vae")  # whose latents are drawn around them

    def test_a_result_is_recalled_for_the_same_study_only(self, studied, tmp_path):
        assert recall(STUDY, tmp_path / "empty") is None
        result = save(studied, tmp_path)
        assert recall(STUDY, tmp_path) == result
        assert [epoch["number"] for epoch in result["curve"]] == [1, 2]
        for other in (
            {"k": 3},
            {"seed": 1},
            {"method": "vae"},
            {"prior": "uniform"},
            {"images": 50},
            {"split": "validation"},
        ):
            with pytest.raises(FileExistsError, match=f"already holds another study \\({next(iter(other))} "):
                recall(replace(STUDY, **other), tmp_path)

    @pytest.mark.parametrize(("text", "said"), [("", "does not describe a study"), ("{}", "is damaged, it lacks")])
    def test_a_damaged_result_is_refused(self, text, said, tmp_path):
        (tmp_path / "result.json").write_text(text)
        with pytest.raises(ValueError, match=said):
            recall(STUDY, tmp_path)

    def test_a_damaged_model_is_refused(self, studied, tmp_path):
        with pytest.raises(FileNotFoundError, match="no model in"):
            load_model(tmp_path)
        save(studied, tmp_path)
        (tmp_path / "model-2.safetensors").write_bytes(b"cut")
        with pytest.raises(ValueError, match=r"model-2\.safetensors is not the file"):
            load_model(tmp_path)


class TestLatents:
    """A trained encoder is a jammer."""

    def test_its_policy_is_swept_and_certified(self, studied):
        policy = encoder_policy(studied.model, planes(PARTS.test.images))
        assert torch.equal(policy.latents, studied.latents)
        link = Link(Gaussian(2), Linear(2), Jammer(policy, noise_power=0.1)).eval()
        (row,) = sweep([Case(link)], Budget(rel_error=0.02))
        value = 1.1 / 2.1
        assert row.low < value < row.high  # to the linear codec all laws of a power are alike
        found = certify(link, search=False)
        assert found.lower.value is None or found.lower.value < 1
        assert found.upper.value == pytest.approx(1, abs=1e-3)

    def test_fresh_images_are_drawn(self, studied):
        policy = encoder_policy(studied.model, lambda count: torch.rand(count, 1, 6, 6))
        assert policy(torch.zeros(7, 2)).shape == (7, 2)


class TestTable:
    def test_has_means_and_spreads(self):
        one = {**dict.fromkeys(KEYS, 0.25), "method": "wae", "seed": 0, "hz_null": 0.99, "fd_pool": 0.25}
        one |= {"data": "ramps", "family": "mlp", "k": 2, "epochs": 1, "judged": 48, "split": "test"}
        two = {**one, "seed": 1, "mse": 0.35, "dpc": 1e-12}
        lines = table([one, two]).splitlines()
        assert [line.split("  ")[0].strip() for line in lines[:3]] == ["method", "wae", "N(0, I)"]
        assert "0.3000 ± 0.0707" in lines[1]
        assert "0.990" in lines[2]
        assert any("fd_pool" in line for line in lines)
        assert "over 2 seeds" in "\n".join(lines)
        assert "±" not in "".join(table([one]).splitlines()[:3])


class TestExhibits:
    def test_show_what_was_saved(self, studied, tmp_path):
        save(studied, tmp_path)
        found = exhibit(tmp_path, PARTS.test.images)
        assert found.samples.shape == (48, 6, 6, 1)
        assert found.interpolated.shape == (2, 9, 6, 6, 1)
        with torch.no_grad():
            ends = studied.model(planes(PARTS.test.images[:4])).permute(0, 2, 3, 1).numpy()
        assert np.allclose(found.interpolated[:, [0, -1]].reshape(ends.shape), ends, atol=1e-3)

    def test_an_arc_keeps_lengths(self):
        first, last = torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 2.0], [1.0, 0.0]])
        assert torch.allclose(arc(first, last, 0.5), torch.tensor([[2**0.5, 2**0.5], [1.0, 0.0]]), atol=1e-3)
        assert arc(torch.zeros(1, 2), -torch.zeros(1, 2), 0.3).isfinite().all()
