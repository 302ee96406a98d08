"""What ``jscc-sim train bits`` prints, keeps, draws and refuses; and that sweeps take what it trained."""

import json

import numpy as np
import pytest
from PIL import Image

from jscc_sim.bits import Recipe, Study, finish
from jscc_sim.catalog import Request, make_cases
from jscc_sim.data.parts import load_parts

TRAIN = ("train", "bits", "--bits", "6", "--preset", "tiny")
FIGURES = {"distortion.png", "reconstructions.png", "marginals.png", "chain.png", "curves.png"}
KEYS = {"valid_sse", "test_sse", "test_sse_sampled", "cpu_seconds", "seed"}


def pictures(count, seed):
    rng = np.random.default_rng(seed)
    return (rng.uniform(0, 255, (count, 1, 1)) + rng.uniform(-20, 20, (count, 6, 6))).clip(0, 255).astype(np.uint8)


# A preset of two epochs for each net.
NETS = {"tiny": "paper", "full": "dense", "conv": "conv"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of small pictures, which is the data; a preset that takes a second."""
    data = tmp_path / "pictures"
    data.mkdir()
    for number, picture in enumerate(pictures(200, 0)):
        Image.fromarray(picture).save(data / f"{number}.png")
    recipes = {name: Recipe(net, epochs=2, batch=16) for name, net in NETS.items()}
    monkeypatch.setattr("jscc_sim.bits.PRESETS", recipes)
    return data


class TestPrints:
    def test_a_row_per_seed(self, run, folder):
        code, lines, errors = run(*TRAIN, "--data", str(folder), "--seeds", "2", "--seed", "3")
        assert (code, errors) == (0, [])
        assert lines[0].startswith("codec")
        assert [line.split(",")[1].split()[1] for line in lines[1:]] == ["3", "4"]

    def test_an_object_per_seed(self, run, folder):
        code, lines, _ = run(
            *TRAIN, "--data", str(folder), "--seeds", "2", "--json", "--objective", "iabf(infomax=0.1)"
        )
        found = [json.loads(line) for line in lines]
        assert code == 0
        assert [one["seed"] for one in found] == [0, 1]
        assert all(one.keys() >= KEYS for one in found)
        assert found[0]["objective"] == "iabf(infomax=0.1)"

    def test_what_search_gains(self, run, folder, monkeypatch):
        monkeypatch.setattr("jscc_sim.bits.search.TRIED", ((8, 2, 2),))
        code, lines, _ = run(*TRAIN, "--data", str(folder), "--search", "--json")
        assert code == 0
        assert json.loads(lines[0])["searches"].keys() == {"8x2x2"}


class TestKeeps:
    def test_codec_result_and_figures(self, run, folder, tmp_path):
        out = tmp_path / "out"
        code, _, errors = run(*TRAIN, "--data", str(folder), "--out", str(out))
        assert code == 0
        (codec,) = out.iterdir()
        assert codec.name == "straight-through-6-bsc-0.1-0"
        assert {path.name for path in codec.iterdir()} == {"codec.json", "codec.safetensors", "result.json", *FIGURES}
        assert len(errors) == 1 + len(FIGURES)  # where the codec is, and they

    def test_what_is_there_is_not_trained_again(self, run, folder, tmp_path, monkeypatch):
        given = (*TRAIN, "--data", str(folder), "--out", str(tmp_path / "out"))
        first = run(*given)
        monkeypatch.setattr("jscc_sim.bits.folder.conduct", None)
        assert run(*given) == first

    def test_interrupted_it_goes_on(self, run, folder, tmp_path, monkeypatch):
        from jscc_sim.bits.training import Training

        given, end = (*TRAIN, "--data", str(folder), "--json"), Training.end_epoch
        whole = json.loads(run(*given)[1][0])

        def stop(training):
            if len(training.epochs) == 2:
                raise KeyboardInterrupt
            end(training)

        out = tmp_path / "out"
        with monkeypatch.context() as patch:
            patch.setattr(Training, "end_epoch", stop)
            code, _, errors = run(*given, "--out", str(out))
        assert code == 130
        assert "goes on from the last finished epoch" in errors[0]
        again = json.loads(run(*given, "--out", str(out))[1][0])
        assert again["test_sse"] == whole["test_sse"]

    def test_sweeps_take_the_codec(self, run, folder, tmp_path):
        out = tmp_path / "out"
        run(*TRAIN, "--data", str(folder), "--out", str(out))
        codec = out / "straight-through-6-bsc-0.1-0"
        code, lines, errors = run(
            "sweep", "--codec", str(codec), "--channel", "bsc", "--at", "0,0.5", "--json", "--words", "2000"
        )
        assert (code, errors) == (0, [])
        rows = [json.loads(line) for line in lines]
        clean, noisy = (row["mean"] for row in rows if row["metric"] == "mse")
        assert clean < noisy
        assert rows[0]["source"] == f"images:unseen:{folder}"
        code, lines, errors = run("sweep", "--codec", str(codec), "--channel", "bec", "--at", "0,0.3", "--words", "100")
        assert (code, lines) == (2, [])  # not even what it could do
        assert "never met an erasure: train it over a channel that erases" in errors[0]
        code, _, errors = run("sweep", "--codec", str(codec), "--channel", "bsc", "--at", "0.3", "--source", "images")
        assert code == 2
        assert "encodes words of k=36" in errors[0]
        (tmp_path / "flat").mkdir()
        for number in range(40):  # as many pixels
            Image.fromarray(np.zeros((4, 9), np.uint8)).save(tmp_path / "flat" / f"{number}.png")
        flat = f"images:{tmp_path / 'flat'}"
        code, lines, errors = run("sweep", "--codec", str(codec), "--channel", "bsc", "--at", "0.3", "--source", flat)
        assert (code, lines) == (2, [])
        assert f"is for images of 6 x 6, but source '{flat}' has 4 x 9" in errors[0]

    @pytest.mark.parametrize("channel", [("bec", "0.3"), ("awgn", "-3")])
    def test_other_channels_draw_figures_too(self, channel, run, folder, tmp_path):
        name, at = channel
        given = ("--data", str(folder), "--channel", name, "--at", at, "--out", str(tmp_path / "out"))
        code, _, errors = run(*TRAIN, *given)
        assert code == 0
        assert len(errors) == 1 + len(FIGURES)  # where the codec is, and they
        codec = tmp_path / "out" / f"straight-through-6-{name}-{float(at):g}-0"
        code, _, errors = run("sweep", "--codec", str(codec), "--channel", name, "--at", at, "--words", "100")
        assert (code, errors) == (0, [])

    def test_sweeps_have_the_adversary_that_it_learned_against(self, folder, tmp_path):
        recipe = Recipe("paper", epochs=1, batch=16)
        finish(Study(str(folder), 6, "bsc-flip", flips=2, recipe=recipe), load_parts(str(folder)), tmp_path / "out")
        for asked, flips in (None, 2), (3, 3):
            [case] = make_cases(Request("bsc-flip", (str(tmp_path / "out"),), at=(0.1,), flips=asked))
            assert case.labels["flips"] == flips

    def test_colour_goes_by_convolutions_and_black_and_white_in_nats(self, run, tmp_path):
        rng = np.random.default_rng(0)
        for name, shape in (("colour", (8, 8, 3)), ("black", (6, 6))):
            (tmp_path / name).mkdir()
            for number in range(60):
                picture = rng.integers(0, 2, shape, dtype=np.uint8) * 255
                Image.fromarray(picture // (3 if name == "colour" else 1)).save(tmp_path / name / f"{number}.png")
            given = ("--bits", "4", "--json", "--data", str(tmp_path / name), "--out", str(tmp_path / f"{name} bits"))
            code, lines, errors = run("train", "bits", *given)
            (result,) = map(json.loads, lines)
            assert (code, len(errors)) == (0, 1 + len(FIGURES))
            assert result["net"] == ("conv" if name == "colour" else "dense")
            assert ("test_nats" in result) == (name == "black")


class TestRefuses:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            (("--bits", "0"), "--bits"),
            (("--at", "0.7"), "must lie between 0 and 0.5, got 0.7"),
            (("--at", "-0.1"), "must lie between 0 and 0.5, got -0.1"),
            (("--channel", "awgn"), "awgn takes --at, its SNR"),
            (("--channel", "bcs"), "did you mean 'bsc'"),
            (("--objective", "iafb"), "did you mean 'iabf'"),
            (("--preset", "ful"), "did you mean 'full'"),
            (("--net", "dens"), "did you mean 'dense'"),
            (("--images", "7"), "7 images do not make a batch of 16"),
            (("--data", "nowhere"), "no image set or folder 'nowhere'"),
            (("--channel", "bec", "--objective", "abf"), "use channel bsc"),
            (("--flips", "2"), "takes no flips"),
        ],
    )
    def test_in_a_line(self, given, said, run, folder):
        data = () if "--data" in given else ("--data", str(folder))
        code, lines, errors = run(*TRAIN, *data, *given)
        assert (code, lines, len(errors)) == (2, [], 1)
        assert said in errors[0]
