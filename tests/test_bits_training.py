"""How codecs of bits learn, and studies of them."""

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_bits import PARTS, STUDY, TINY, learned, pictures, training

from channels import AWGN, BEC, BSC, BitFlip
from jscc_sim.bits import (
    BEST,
    OBJECTIVES,
    PRESETS,
    Objective,
    Recipe,
    Study,
    conduct,
    distortion,
    finish,
    flat,
    load_binary,
    recall,
)
from jscc_sim.bits.conduct import searched
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Part, Parts
from jscc_sim.states import pack


@pytest.fixture(scope="module")
def trained():
    return learned()


class TestTraining:
    def test_one_that_goes_astray_says_so(self):
        astray = training()
        with torch.no_grad():
            next(iter(astray.model.parameters())).fill_(math.nan)
        with pytest.raises(FloatingPointError, match="in epoch 1 the chance of a symbol became nan: lower lr"):
            next(astray.run())

    @pytest.mark.parametrize("recipe", [replace(TINY, batch=30), replace(TINY, penalty=1e-3, decay=0.0, clip=0.0)])
    @pytest.mark.parametrize("objective", ["iabf", BEST])
    def test_is_resumed_bit_for_bit(self, objective, recipe, tmp_path):
        whole, stopped, again = (training(objective, recipe) for _ in range(3))
        torch.manual_seed(1)
        straight = list(whole.run())
        torch.manual_seed(1)
        first = next(stopped.run(tmp_path / "training"))
        torch.manual_seed(2)
        assert [first, *again.run(tmp_path / "training")] == straight
        wanted, found = {}, {}
        pack(whole.model.state_dict(), "", wanted)
        pack(again.model.state_dict(), "", found)
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)
        assert whole.selected.errors == again.selected.errors

    def test_keeps_the_weights_that_did_best_on_validation(self):
        learned = training(recipe=replace(TINY, epochs=4, selections=4))
        seen = []

        def error() -> float:
            seen.append(copy.deepcopy(learned.model.state_dict()))
            return (3.0, 1.0, 2.0, 4.0)[len(seen) - 1]

        learned.validation_error = error
        list(learned.run())
        assert learned.selected.errors == {1: 3.0, 2: 1.0, 3: 2.0, 4: 4.0}
        for name, weight in learned.model.state_dict().items():
            assert torch.equal(weight, seen[1][name])
        assert any(not torch.equal(weight, seen[3][name]) for name, weight in learned.model.state_dict().items())

    def test_is_selected_by_the_error_of_validation_images(self):
        learned = training(recipe=replace(TINY, epochs=1))
        list(learned.run())
        found = distortion(learned.model, learned.channel, learned.validation, draws=1).mean
        assert learned.selected.errors == {1: pytest.approx(found)}

    def test_the_last_weights_are_always_tried(self):
        assert [epoch for epoch in range(1, 26) if replace(TINY, epochs=25, selections=10).tried(epoch)][-1] == 25

    @pytest.mark.parametrize("steps", [1, 3, 33, 1234])
    def test_the_rate_never_exceeds_its_highest(self, steps):
        rates = [Recipe("dense").rate(done, steps) for done in range(steps)]
        assert 0 < max(rates) <= Recipe("dense").lr

    def test_decay_and_penalty_exclude_each_other(self):
        for wrong in ({"penalty": 1e-3}, {"decay": -1.0}, {"penalty": math.nan, "decay": 0.0}):
            with pytest.raises(ValueError, match="decay and penalty must be 0 or more, and one of them 0"):
                replace(TINY, **wrong)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"optimiser": "moun"}, "no optimiser 'moun': did you mean 'muon'"),
            ({"optimiser": "muon", "penalty": 1e-3, "decay": 0.0}, "Muon takes no penalty.*: got 0.001"),
        ],
    )
    def test_optimisers_that_there_are_not_are_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            replace(TINY, **given)

    def test_the_rate_rises_and_falls(self):
        recipe = Recipe("dense", warmup=0.1)
        rates = [recipe.rate(done, 100) for done in range(101)]
        assert max(rates) == rates[9] == recipe.lr
        assert rates[100] == pytest.approx(0)
        assert replace(recipe, constant=True).rate(100, 100) == recipe.lr

    def test_the_papers_settings_are_the_papers(self):
        """Adam at 1e-3 throughout, 200 epochs in batches of 100, a penalty of 1e-4 on the encoder alone."""
        recipe = PRESETS["paper"]
        assert (recipe.net, recipe.epochs, recipe.batch) == ("paper", 200, 100)
        assert {recipe.rate(done, 1000) for done in range(1000)} == {1e-3}
        optimiser = training(recipe=recipe).optimiser
        assert type(optimiser) is torch.optim.Adam
        assert [group["weight_decay"] for group in optimiser.param_groups] == [1e-4, 0.0]
        assert recipe.clip == 0
        necst = Objective("vimco", 5)
        assert OBJECTIVES["necst"] == necst
        assert OBJECTIVES["abf"] == replace(necst, noise="adversarial")
        assert OBJECTIVES["infomax"] == replace(necst, infomax=0.01)
        assert OBJECTIVES["iabf"] == replace(necst, noise="adversarial", infomax=0.01)
        net = BinaryCodec((1, 8, 8), 10, "paper")
        slopes = [layer.negative_slope for layer in net.modules() if isinstance(layer, torch.nn.LeakyReLU)]
        assert slopes == [0.2] * 3

    def test_over_flips_and_erasures_too(self):
        for channel in (BitFlip(BSC(0.1), 2), BitFlip(BEC(0.1), 1), BEC(0.3), AWGN(0.5)):
            epochs = list(training(channel=channel).run())
            assert epochs[-1].loss < epochs[0].loss


class TestStudy:
    def test_nothing_is_chosen_on_test_images(self, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.search.TRIED", ((2, 1, 1), (8, 4, 4)))
        other = replace(PARTS, test=Part(pictures(60, 7)))
        one, two = (conduct(STUDY, parts) for parts in (PARTS, other))
        assert one.errors == two.errors
        for name, weights in one.codec.state_dict().items():
            assert torch.equal(weights, two.codec.state_dict()[name])
        searches = [searched(done.codec, STUDY, parts)["searches"] for done, parts in ((one, PARTS), (two, other))]
        assert searches[0] == searches[1]
        assert one.result["test_sse"] != two.result["test_sse"]

    def test_measures_both_encoders_on_both_parts(self, trained):
        result = trained.result
        sent = distortion(trained.codec, BSC(0.1), flat(PARTS.test), draws=10, squared=True)
        assert result["test_sse"] == pytest.approx(sent.mean)
        assert {"valid_sse", "test_sse_sampled", "cpu_seconds", "entropy", "correlation"} <= result.keys()
        assert "test_nats" not in result

    def test_black_and_white_images_are_measured_in_nats(self):
        black = Parts(*(Part(255 * (part.images > 127).astype(np.uint8)) for part in vars(PARTS).values()))
        result = conduct(STUDY, black).result
        assert result["pixels"] == "bernoulli"
        assert 0 < result["test_nats"] < 1

    def test_is_kept_and_recalled(self, tmp_path):
        assert recall(STUDY, tmp_path) is None
        result = finish(STUDY, PARTS, tmp_path)
        assert {file.name for file in tmp_path.iterdir()} == {"codec.json", "codec.safetensors", "result.json"}
        known = recall(STUDY, tmp_path)
        assert known == json.loads(json.dumps(result))
        images = flat(PARTS.test)
        again = distortion(load_binary(tmp_path), BSC(0.1), images, squared=True)
        assert again.mean == pytest.approx(result["test_sse"])
        with pytest.raises(FileExistsError, match="already holds another study"):
            recall(replace(STUDY, at=0.2), tmp_path)

    @pytest.mark.parametrize("file", ["codec.json", "codec.safetensors"])
    def test_begins_anew_where_its_codec_is_gone(self, file, tmp_path):
        before = finish(STUDY, PARTS, tmp_path)
        (tmp_path / file).unlink()
        again = finish(STUDY, PARTS, tmp_path)
        assert again["test_sse"] == before["test_sse"]
        assert (tmp_path / file).exists()

    def test_a_search_is_measured_later_too(self, tmp_path, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.search.TRIED", ((8, 2, 2),))
        plain = finish(STUDY, PARTS, tmp_path)
        monkeypatch.setattr("jscc_sim.bits.folder.conduct", None)
        found = finish(replace(STUDY, search=True), PARTS, tmp_path)
        assert "test_sse_searched" not in plain
        assert found["test_sse_searched"] < found["test_sse"] == plain["test_sse"]
        assert finish(replace(STUDY, search=True), PARTS, tmp_path) == json.loads(json.dumps(found))

    def test_what_is_said_of_training_is_of_the_epoch_that_was_kept(self, trained):
        kept = trained.epochs[trained.result["selected_epoch"] - 1]
        assert trained.result["entropy"] == kept.entropy

    def test_selection_does_not_touch_the_training(self):
        often, once = (training(recipe=replace(TINY, selections=n)) for n in (3, 1))
        torch.manual_seed(5)
        first = list(often.run())
        torch.manual_seed(5)
        assert list(once.run()) == first

    def test_goes_on_from_its_checkpoint(self, tmp_path):
        def stop(epoch):
            if epoch.number == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            finish(STUDY, PARTS, tmp_path, hear=stop)
        again, whole = finish(STUDY, PARTS, tmp_path), finish(STUDY, PARTS)
        assert again["test_sse"] == whole["test_sse"]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"bits": 0}, "bits must be at least 1"),
            ({"at": 0.6}, "between 0 and 0.5, got 0.6"),
            ({"at": float("nan")}, "between 0 and 0.5"),
            ({"channel": "bcs"}, "did you mean 'bsc'"),
            ({"objective": "iafb"}, "did you mean 'iabf'"),
            ({"objective": "iabf(infomx=1)"}, "did you mean 'infomax'"),
            ({"objective": "iabf(infomax=a)"}, "must be a finite number"),
            ({"objective": "abf", "channel": "bec"}, "but BEC is none"),
            ({"objective": "straight-through(gradient=straight-thru)"}, "did you mean 'straight-through'"),
            ({"objective": "straight-through(gradient=exact)"}, "too many to enumerate"),
            ({"channel": "bsc-flip", "flips": 3, "search": True}, "not BitFlip: use bsc or bec, or no search"),
            ({"flips": 3}, "channel bsc takes no flips"),
            ({"channel": "awgn", "at": 3.0, "search": True}, "not AWGN: use bsc or bec, or no search"),
            ({"channel": "bsc-flip"}, "takes --flips"),
            ({"channel": "bsc-flip", "flips": 101}, "flips must be 0 to 100"),
        ],
    )
    def test_what_cannot_be_is_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            Study(**given)

    def test_too_few_images_are_refused(self):
        with pytest.raises(ValueError, match="200 images do not make a batch of 300"):
            replace(STUDY, recipe=replace(TINY, batch=300)).check(PARTS)
