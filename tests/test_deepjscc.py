"""DeepJSCC: the codec's laws, its training, and what is kept of it."""

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from channels import AWGN, BSC, Jammer, NeuralPolicy, PerSymbolPolicy, Rayleigh
from jscc_sim.catalog import Request
from jscc_sim.catalog.players import load_players
from jscc_sim.checkpoint import load_part
from jscc_sim.codecs import DeepJSCC
from jscc_sim.codecs.deepjscc_nets import NETS, Block
from jscc_sim.codecs.scale import MOST, Scale
from jscc_sim.data.parts import Part, Parts
from jscc_sim.deepjscc import PRESETS, Recipe, Study, Training, conduct, finish, load_deepjscc, measure, send
from jscc_sim.image_metrics import fidelity
from jscc_sim.nets import as_images, as_words
from jscc_sim.players import load_policy
from jscc_sim.tally import standard_error

SHAPE = (3, 8, 8)
TINY = Recipe("paper", epochs=2, batch=16, lr=5e-3, decay=0.0, selections=2)
ODD = [
    Study(recipe=TINY),
    Study(recipe=TINY, snr_db=(0.0, 20.0)),
    Study(recipe=TINY, channel="rayleigh", peak=1.5),
    Study(recipe=TINY, channel="jammer", sjr_db=3.0),
    Study(recipe=TINY, channel="ofdm"),
    Study(recipe=TINY, channel="tdl"),
    Study(recipe=replace(TINY, net="residual", optimiser="muon")),
    Study(recipe=replace(TINY, net="residual", optimiser="muon"), snr_db=(0.0, 20.0)),
]
every_net = pytest.mark.parametrize("net", NETS)


def blobs(count: int, seed: int) -> Part:
    """Smooth colours, a stand-in for pictures that a few steps learn something of."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 2, 2, 3))
    return Part(np.kron(coarse, np.ones((1, 4, 4, 1))).astype(np.uint8))


PARTS = Parts(blobs(160, 0), blobs(24, 1), blobs(24, 2))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_images_become_words_and_back():
    u = torch.rand(5, 192)
    images = as_images(u, SHAPE)
    assert torch.equal(as_words(images), u)
    assert torch.equal(images[:, 1, 2, 3], u[:, (2 * 8 + 3) * 3 + 1])


class TestScale:
    """Words that tell their own scale."""

    def test_without_noise_words_come_back_but_for_what_lay_along_the_signs(self):
        scale, words = Scale(64), torch.randn(5, 64) * torch.tensor([0.2, 0.5, 1.0, 2.0, 5.0])[:, None]
        told = scale.tell(words)
        on_the_sphere = told / told.square().mean(1, keepdim=True).sqrt()
        heard = scale.hear(on_the_sphere, torch.full((5, 1), 60.0))
        assert torch.allclose(heard, words - (words * scale.signs).mean(1, keepdim=True) * scale.signs, rtol=1e-3)

    def test_words_of_all_scales_have_about_one_power(self):
        words = torch.randn(100, 512) * torch.logspace(-2, 2, 100)[:, None]
        power = Scale(512).tell(words).square().mean(1)
        assert power.min() >= 1 - 1e-4
        assert power.max() <= 1 + (MOST / 4) ** 2 + 1e-4

    def test_the_scale_is_heard_as_well_as_one_symbol_of_so_much_power_allows(self):
        # Along the signs there is noise of variance N/n, and nothing of a scale of one: its logarithm, four times what
        # is there after shrinking, has a standard deviation of 4 √(N/n) / (1 + 64 N/n). Of 10,000 words it is
        # within 3 % of that but once in 50,000 (chi-square), and the size of a word follows.
        scale, n, noise = Scale(256), 256, 0.1
        words = torch.randn(1, n)
        words = words - (words * scale.signs).mean() * scale.signs
        sent = scale.tell(words / words.square().mean().sqrt()).expand(10_000, n)
        along = scale.signs * math.sqrt(noise / n) * torch.randn(10_000, 1)  # noise where it matters alone
        heard = scale.hear((sent + along) / (1 + noise), torch.full((10_000, 1), 10.0)).norm(dim=1)
        found = (heard / sent.norm(dim=1) * (1 + noise)).log().std()
        assert float(found) == pytest.approx(4 * math.sqrt(noise / n) / (1 + 64 * noise / n), rel=0.03)

    def test_a_word_of_nothing_stays_finite(self):
        scale = Scale(16)
        words = torch.zeros(1, 16, requires_grad=True)
        heard = scale.hear(scale.tell(words), torch.tensor([[-10.0]]))
        heard.sum().backward()
        assert heard.isfinite().all()
        assert words.grad.isfinite().all()


class TestBlock:
    @pytest.mark.parametrize("adaptive", [False, True])
    def test_learns_even_where_all_its_neurons_are_silent(self, adaptive):
        block = Block(4, adaptive=adaptive)
        torch.nn.init.constant_(block.inner.bias, -50.0)
        torch.nn.init.normal_(block.outer.weight)
        block(torch.randn(2, 4, 3, 3), torch.full((2, 1), 10.0)).square().mean().backward()
        assert block.inner.weight.grad is not None
        assert (block.inner.weight.grad.flatten(1).norm(dim=1) > 1e-3).all()


class TestCodec:
    @every_net
    @pytest.mark.parametrize("adaptive", [False, True])
    def test_every_word_has_unit_power(self, net, adaptive):
        codec = DeepJSCC(SHAPE, 16, net, adaptive=adaptive).eval()
        power = codec.encode(torch.rand(7, 192)).square().mean(1)
        assert torch.allclose(power, torch.ones(7), atol=1e-5)

    @every_net
    def test_images_are_images_in_evaluation(self, net):
        found = DeepJSCC(SHAPE, 16, net).eval().decode(9 * torch.randn(20, 16), AWGN(1.0))
        assert 0 <= found.min() < found.max() <= 1

    @every_net
    def test_no_symbol_exceeds_the_peak(self, net):
        codec = DeepJSCC(SHAPE, 32, net, peak=1.2).eval()
        free = DeepJSCC(SHAPE, 32, net).eval()
        free.load_state_dict(codec.state_dict())
        u = torch.rand(50, 192)
        power = codec.encode(u).unflatten(1, (-1, 2)).square().mean(2)
        assert power.max() <= 1.2 + 1e-5
        assert free.encode(u).unflatten(1, (-1, 2)).square().mean(2).max() > 1.5
        assert torch.allclose(codec.encode(u).square().mean(1), torch.ones(50), atol=1e-5)

    def test_a_cut_symbol_keeps_its_phase_and_the_others_their_proportions(self):
        codec, x = DeepJSCC(SHAPE, 16, peak=1.5), torch.randn(20, 16, dtype=torch.float64)
        x = 4 * x / x.norm(dim=1, keepdim=True)
        before, after = (torch.view_as_complex(word.unflatten(1, (-1, 2))) for word in (x, codec._within_peak(x)))
        assert torch.allclose(before.angle(), after.angle())
        cut = after.abs().square() > 2 * 1.5 - 1e-9
        assert cut.any()
        factors = (after.abs() / before.abs()).masked_fill(cut, math.nan)
        assert torch.allclose(factors.nan_to_num(0).amax(1), factors.nan_to_num(9).amin(1))

    def test_gradients_pass_the_peak(self):
        codec, u = DeepJSCC(SHAPE, 16, peak=1.1), torch.rand(3, 192)
        codec.encode(u)[:, 0].sum().backward()
        assert all(weights.grad.isfinite().all() for weights in codec.encoder.parameters())

    @every_net
    def test_a_fade_that_is_known_is_undone(self, net):
        codec = DeepJSCC(SHAPE, 16, net).eval()
        x = codec.encode(torch.rand(3, 192))
        gain = torch.tensor([[0.5], [1.0], [2.0]])
        clear = codec.decode(x, AWGN(1e-6))
        assert torch.allclose(codec.decode(gain * x, AWGN(1e-6, gain)), clear, atol=1e-4)

    @every_net
    def test_adaptive_nets_hear_the_snr(self, net):
        codec = DeepJSCC(SHAPE, 16, net, adaptive=True)
        for weights in codec.parameters():  # blocks add nothing before they learn
            torch.nn.init.normal_(weights, 0, 0.1)
        codec, u = codec.eval(), torch.rand(3, 192)
        quiet, loud = codec.told(AWGN(0.01)), codec.told(AWGN(1.0))
        assert (quiet.snr_db, loud.snr_db) == (20.0, 0.0)
        assert not torch.allclose(quiet.encode(u), loud.encode(u))
        assert "snr_db=20.0" in repr(quiet)  # or two results would share a key

    @pytest.mark.parametrize(
        "channel", [AWGN(1.0), Jammer(PerSymbolPolicy(NeuralPolicy(1, 8)), 0.5, 0.5), Rayleigh(1.0)]
    )
    def test_the_transmitter_is_told_the_mean_snr(self, channel):
        codec = DeepJSCC(SHAPE, 16, adaptive=True)
        noise = 0.5 * isinstance(channel, Jammer)  # the jammer's does not fall
        for level in (0.0, 10.0, 20.0):
            told = codec.told(channel.at(level).nominal).snr_db
            assert told == pytest.approx(-10 * math.log10(10 ** (-level / 10) + noise), abs=0.01)

    def test_what_is_told_lies_within_what_was_learned(self):
        codec = DeepJSCC(SHAPE, 16, adaptive=True)
        assert [codec.told(AWGN(noise)).snr_db for noise in (100.0, 0.1, 1e-9)] == pytest.approx([-10, 10, 40])

    @every_net
    def test_a_deep_fade_stays_finite(self, net):
        codec = DeepJSCC(SHAPE, 16, net, adaptive=True).eval()
        found = codec.decode(torch.randn(2, 16), AWGN(0.1, torch.tensor([[0.0], [1.0]])))
        assert found.isfinite().all()

    @pytest.mark.parametrize(
        ("build", "said"),
        [
            (lambda: DeepJSCC(SHAPE, 17), "n must be even, got 17"),
            (lambda: DeepJSCC(SHAPE, 18), "multiple of 4 symbols, got 18: try 16"),
            (lambda: DeepJSCC((1, 6, 8), 16), "multiples of 4, got 6 × 8"),
            (lambda: DeepJSCC(SHAPE, 16, peak=0.5), "must be above 1, got 0.5"),
            (lambda: DeepJSCC(SHAPE, 16, "papr"), "papr"),
            (lambda: DeepJSCC(SHAPE, 16).encode(torch.rand(2, 100)), "192 values, got 100"),
            (lambda: DeepJSCC(SHAPE, 16).decode(torch.ones(2, 16), BSC(0.1)), "not BSC"),
        ],
    )
    def test_what_cannot_be_is_told(self, build, said):
        with pytest.raises(ValueError, match=said):
            build()


class TestStudy:
    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ({"ratio": "1/0"}, "a positive fraction such as 1/6"),
            ({"ratio": "5"}, "at most 4, got 5"),
            ({"snr_db": (5.0, 1.0)}, "from the lower to the higher, got 5, 1"),
            ({"sjr_db": 3.0}, "channel 'awgn' takes no --sjr"),
            ({"channel": "jammer"}, "channel 'jammer' takes --sjr"),
            ({"channel": "bsc"}, "channel of images"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, asked, said):
        with pytest.raises(ValueError, match=said):
            Study(**asked)

    def test_names_the_nearest_ratio(self):
        with pytest.raises(
            ValueError, match="8 × 8 have bandwidth ratios that are multiples of 1/96, got 1/7: try 7/48"
        ):
            Study(ratio="1/7").check(PARTS)
        with pytest.raises(ValueError, match="160 images do not make a batch of 200"):
            Study(recipe=replace(TINY, batch=200)).check(PARTS)

    def test_studies_have_names_of_their_own(self):
        assert len({study.name for study in ODD}) == len(ODD)
        assert Study(seed=3).name == "residual-1in6-awgn-10-3"


class TestTraining:
    @pytest.mark.slow
    @pytest.mark.parametrize("study", ODD, ids=lambda study: study.name)
    def test_errors_fall(self, study):
        longer = replace(study, recipe=replace(study.recipe, epochs=20))
        curve = [epoch.mse for epoch in conduct(longer, PARTS).epochs]
        assert curve[-1] < 0.9 * curve[0]

    @pytest.mark.parametrize("study", ODD, ids=lambda study: study.name)
    def test_is_resumed_bit_for_bit(self, study, tmp_path):
        def training() -> Training:
            torch.manual_seed(0)
            codec, ends = study.codec(PARTS), (study.snr_db[0], study.snr_db[-1])
            return Training(codec, study.link(), ends, study.train(PARTS), study.judged(PARTS.validation), study.recipe)

        whole, stopped, again = (training() for _ in range(3))
        torch.manual_seed(1)
        straight = list(whole.run())
        torch.manual_seed(1)
        first = next(stopped.run(tmp_path / "training"))
        torch.manual_seed(2)
        assert [first, *again.run(tmp_path / "training")] == straight
        for one, other in ((whole.model, again.model), (whole.channel, again.channel)):
            for name, weight in one.state_dict().items():
                assert torch.equal(weight, other.state_dict()[name])

    def test_computes_without_denormal_numbers_and_leaves_them_to_others(self, monkeypatch):
        found = []
        monkeypatch.setattr(Training, "step", lambda training, x: found.append(sys.float_info.min / 2) or torch.ones(1))
        conduct(ODD[0], PARTS)
        assert found
        assert not any(found)
        assert sys.float_info.min / 2

    @pytest.mark.parametrize("seed", range(4))
    def test_the_jammer_climbs_the_error_of_the_very_draw_that_it_learned_from(self, seed):
        study = ODD[3]
        codec, images = study.codec(PARTS), study.train(PARTS)
        training = Training(codec, study.link(), (10.0, 10.0), images, study.judged(PARTS.validation), TINY)
        training.optimiser.param_groups.clear()  # the codec stays as it is
        training.precision.bf16 = False  # whose rounding would hide what a step does
        assert training.jammer is not None
        training.jammer.param_groups[0]["lr"] = 1e-3  # little enough for the slope to say what happens

        @torch.no_grad()
        def error() -> float:
            torch.manual_seed(seed)
            torch.rand(())  # a step draws its SNR first
            channel = training.channel.at(10.0)
            return float(training._error(codec, channel, images[:16], codec.encode(images[:16])))

        before = error()
        torch.manual_seed(seed)
        training.step(images[:16])
        assert error() > before

    def test_against_a_jammer_the_last_weights_are_kept_and_it_within_its_budget(self):
        studied = conduct(replace(ODD[3], recipe=replace(TINY, epochs=6, selections=6)), PARTS)
        channel = studied.channel
        assert list(studied.errors) == [6]
        assert isinstance(channel, Jammer)
        x = studied.codec.encode(studied.study.judged(PARTS.test).repeat(500, 1))
        # 192,000 symbols: the mean of a² is within 4 standard errors but once in 15,000.
        power = channel.at(10.0).limit(channel.raw(x)).square().detach()
        assert float(power.mean()) == pytest.approx(1, abs=4 * float(power.std()) / math.sqrt(power.numel()) + 0.01)


class TestFidelity:
    def test_agrees_with_its_definition(self):
        codec, images = DeepJSCC((3, 16, 16), 64).eval(), torch.rand(20, 768)
        found = measure(codec, AWGN(0.1), images, codec.shape, seed=5)
        arrived = send(codec, AWGN(0.1), images, seed=5)
        errors = (arrived - images).square().mean(1)
        assert found.mse == pytest.approx(float(errors.mean()), rel=1e-5)
        assert found.psnr == pytest.approx(float((-10 * errors.log10()).mean()), rel=1e-5)
        assert found.psnr_of_mse == pytest.approx(-10 * math.log10(found.mse), rel=1e-5)
        assert found.psnr_error == pytest.approx(float((-10 * errors.log10()).std()) / math.sqrt(20), rel=1e-4)
        similar = fidelity(as_images(images, codec.shape), as_images(arrived.clamp(0, 1), codec.shape))["ssim"]
        assert (found.ssim, found.ssim_error) == (float(similar.mean()), standard_error(similar))

    def test_leaves_the_mode_as_it_was(self):
        codec = DeepJSCC((3, 16, 16), 64).train()
        measure(codec, Rayleigh(0.1), torch.rand(4, 768), codec.shape)
        assert codec.training


class TestFolder:
    def test_what_is_finished_is_not_repeated(self, tmp_path, monkeypatch):
        study = ODD[1]
        result = finish(study, big_enough(), tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["codec.json", "codec.safetensors", "result.json"]
        monkeypatch.setattr("jscc_sim.deepjscc.folder.conduct", None)
        assert finish(study, big_enough(), tmp_path) == json.loads(json.dumps(result))
        with pytest.raises(FileExistsError):
            finish(replace(study, seed=1), big_enough(), tmp_path)

    @pytest.mark.parametrize("file", ["codec.safetensors", "policy.json"])
    def test_begins_anew_where_what_was_trained_is_gone(self, file, tmp_path):
        before = finish(ODD[3], big_enough(), tmp_path)
        (tmp_path / file).unlink()
        again = finish(ODD[3], big_enough(), tmp_path)
        assert again["test_psnr"] == before["test_psnr"]
        assert (tmp_path / file).exists()

    @pytest.mark.parametrize("study", [ODD[1], ODD[-1]], ids=lambda study: study.name)
    def test_what_comes_back_does_as_the_result_says(self, study, tmp_path):
        parts = big_enough()
        result = finish(study, parts, tmp_path)
        codec, images = load_deepjscc(tmp_path), study.judged(parts.test)
        for level, psnr in zip(result["judged_at"], result["test_psnr"], strict=True):
            assert measure(codec, AWGN(1.0).at(level), images, codec.shape).psnr == pytest.approx(psnr, abs=2e-4)

    def test_the_codec_and_its_jammer_come_back(self, tmp_path):
        finish(ODD[3], big_enough(), tmp_path)
        codec, (policy, record) = load_deepjscc(tmp_path), load_policy(tmp_path)
        assert (record.snr_db, record.sjr_db) == (10.0, 3.0)
        jammer = Jammer(policy, 0.1, 0.5).eval()
        assert send(codec, jammer, torch.rand(4, codec.k)).isfinite().all()
        assert load_part(tmp_path, "codec")[0].trained["sjr_db"] == 3.0
        assert load_players(Request("jammer", codecs=(str(tmp_path),))).sjr_db == 3.0


def big_enough() -> Parts:
    """Images large enough for SSIM."""
    return Parts(*(Part(np.kron(part.images, np.ones((1, 2, 2, 1), np.uint8))) for part in vars(PARTS).values()))


class TestCommand:
    @pytest.fixture
    def pictures(self, tmp_path, monkeypatch):
        monkeypatch.setattr("jscc_sim.data.parts.load_parts", lambda name: big_enough())
        monkeypatch.setitem(PRESETS, "tiny", TINY)

    def test_prints_one_object_per_seed(self, pictures, run, tmp_path):
        asked = ("--preset", "tiny", "--seeds", "2", "--snr", "0:10", "--out", str(tmp_path / "out"), "--json")
        code, lines, _ = run("train", "images", *asked)
        assert code == 0
        found = [json.loads(line) for line in lines]
        assert [one["seed"] for one in found] == [0, 1]
        for one in found:
            assert {"test_psnr", "test_ssim", "judged_at", "power", "uses_per_value", "cpu_seconds"} <= one.keys()
            assert one["judged_at"] == [0, 5, 10]
            assert one["power"] == pytest.approx(1, abs=1e-4)
            assert one["uses_per_value"] == pytest.approx(1 / 6)
        figures = [path.name for path in (tmp_path / "out" / "paper-1in6-awgn-0-to-10-0").glob("*.png")]
        assert sorted(figures) == ["curves.png", "fidelity.png", "received.png"]

    def test_prints_a_table(self, pictures, run):
        code, lines, _ = run("train", "images", "--preset", "tiny")
        assert code == 0
        assert lines[0].split()[:2] == ["seed", "SNR"]
        assert len(lines) == 2

    def test_its_codec_delivers_the_snr_that_is_asked(self, run, tmp_path, monkeypatch):
        """On pictures that it never saw; that every word has the same power is said, and no slip."""
        monkeypatch.setitem(PRESETS, "tiny", TINY)
        folder = tmp_path / "pictures"
        folder.mkdir()
        for number, picture in enumerate(big_enough().train.images):
            Image.fromarray(picture).save(folder / f"{number}.png")
        out = tmp_path / "out"
        run("train", "images", "--data", str(folder), "--preset", "tiny", "--snr", "0:10", "--out", str(out))
        (codec,) = out.iterdir()
        code, lines, errors = run("check-snr", str(codec), "--snr", "7", "--json")
        assert (code, errors) == (0, [])
        found = json.loads(lines[0])
        assert [finding["name"] for finding in found["findings"]] == ["as asked", "power per word"]
        assert (found["snr_db"], found["k"], found["n"]) == (7, 16 * 16 * 3, 16 * 16)
        assert found["bandwidth_ratio"] == pytest.approx(1 / 3)  # real uses per value
        assert found["complex_bandwidth_ratio"] == pytest.approx(1 / 6)

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (("--snr", "a"), "'a' is neither a level in dB nor a range such as 0:20"),
            (("--snr", "1:2:3"), "is neither a level"),
            (("--preset", "huge"), "huge"),
            (("--ratio", "1/7"), "try"),
            (("--device", "cuda"), "cuda"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, pictures, run, asked, said):
        if asked[1] == "cuda" and torch.cuda.is_available():
            pytest.skip("there is a GPU")
        code, _, errors = run("train", "images", *asked)
        assert code == 2
        assert said in errors[-1]
