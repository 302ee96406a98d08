"""What ``jscc-sim regularise`` prints, keeps, draws and refuses."""

import json
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from jscc_sim.data.parts import Part, Parts
from jscc_sim.image_metrics import Extractor
from jscc_sim.regularise import load_model

KEYS = ["method", "seed", "mse", "fd", "hz", "ks", "energy_whitened", "dpc", "seconds_per_epoch"]
QUICK = ("--methods", "jamming,none", "--k", "2", "--epochs", "2", "--batch", "16")
FIGURES = {"latents.png", "samples.png", "reconstructions.png", "interpolations.png", "curves.png", "trade-off.png"}


def part(count: int, seed: int) -> Part:
    rng = np.random.default_rng(seed)
    bright = rng.uniform(0, 255, (count, 1, 1)) + rng.uniform(-20, 20, (count, 6, 6))
    return Part(bright.clip(0, 255).astype(np.uint8), rng.integers(0, 10, count))


PARTS = Parts(part(96, 0), part(40, 1), part(48, 2))


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Small images under any name, and an extractor for them under the name of lite0."""
    pool = torch.nn.Sequential(torch.nn.AvgPool2d(3), torch.nn.Flatten())
    monkeypatch.setattr("jscc_sim.data.parts.load_parts", lambda name: PARTS)
    distances = import_module("jscc_sim.image_metrics.distances")  # the package's function hides its module
    monkeypatch.setattr(distances, "extractor", lambda name: Extractor({"lite0": "pool"}[name], pool, 4))


@pytest.fixture
def no_training(monkeypatch):
    def never(*given, **named):
        raise AssertionError("this was trained before")

    return lambda: monkeypatch.setattr("jscc_sim.regularise.conduct", never)


@contextmanager
def interrupting(what, total, unit, part):
    """A progress bar at the end of whose second model's first epoch Ctrl-C is pressed."""

    def tell(finished, done, planned, beside=""):
        if finished == 1 and done == 1000:
            raise KeyboardInterrupt

    yield tell


def results(lines: list[str]) -> list[dict[str, object]]:
    return [json.loads(line) | {"seconds_per_epoch": 0} for line in lines]


class TestPrints:
    def test_a_row_per_method_and_the_gaussian(self, run):
        code, lines, errors = run("regularise", *QUICK, "--seeds", "2")
        assert (code, errors) == (0, [])
        assert [line[:9].rstrip() for line in lines[:4]] == ["method", "jamming", "none", "N(0, I)"]
        assert lines[1].count("±") == lines[2].count("±") == 10
        assert any("FD is fd_pool" in line for line in lines)

    def test_an_object_per_method_and_seed(self, run):
        code, lines, errors = run("regularise", *QUICK, "--seeds", "2", "--seed", "5", "--json")
        assert (code, errors) == (0, [])
        found = results(lines)
        named = [(one["method"], one["seed"]) for one in found]
        assert named == [("jamming", 5), ("jamming", 6), ("none", 5), ("none", 6)]
        told = {"data": "mnist", "family": "mlp", "k": 2, "epochs": 2, "batch": 16, "split": "test", "judged": 48}
        for one in found:
            assert one.keys() >= {*KEYS, "fd_fitted", "fd_pool", "hz_null", "ks_null", "dpc_null"}
            assert one.items() >= told.items()

    def test_convolutions_and_validation(self, run):
        given = (
            "--family",
            "conv",
            "--split",
            "validation",
            "--methods",
            "jamming(weight=0.25)",
            "--images",
            "32",
        )
        _, lines, _ = run("regularise", *QUICK, *given, "--judged-images", "30", "--json")
        (one,) = results(lines)
        told = {"family": "conv", "split": "validation", "judged": 30, "weight": 0.25, "images": 32}
        assert one.items() >= told.items()

    def test_help_is_short_and_names_the_defaults(self, run):
        _, lines, _ = run("regularise", "--help")
        assert "jamming,vae,wae,aae,sliced,none" in "".join(lines)


class TestKeeps:
    def test_what_is_there_is_not_trained_again(self, run, tmp_path, no_training):
        command = ("regularise", *QUICK, "--json", "--out", str(tmp_path / "new" / "folder"))
        first = run(*command)
        folder = tmp_path / "new" / "folder"
        assert {path.name for path in folder.iterdir()} == {"jamming-0", "none-0", *FIGURES}
        kept = {"result.json", "latents.npy", "drawn.npy", "model.json", "model-2.safetensors"}
        assert {path.name for path in (folder / "jamming-0").iterdir()} == kept
        assert load_model(folder / "none-0").d == 2
        no_training()
        assert run(*command) == first

    def test_latents_are_certified(self, run, tmp_path):
        run("regularise", *QUICK, "--out", str(tmp_path))
        policy = str(tmp_path / "jamming-0" / "latents.npy")
        code, lines, _ = run("certify", "--policy", policy, "--quick", "--json")
        assert code == 0
        assert json.loads(lines[0])["payoff_ratio"] == pytest.approx(1, abs=0.05)

    def test_latents_jam_in_sweeps(self, run, tmp_path):
        """To the linear codec they are worth what any jammer of their power is."""
        run("regularise", *QUICK, "--out", str(tmp_path))
        policy = str(tmp_path / "jamming-0" / "latents.npy")
        sweep = ("sweep", "--channel", "jammer", "--snr", "10", "--words", "20000", "--json", "--policy")
        code, lines, _ = run(*sweep, policy)
        row = json.loads(lines[0])
        assert (code, row["k"], row["verdict"]) == (0, 2, "agrees")
        code, _, errors = run(*sweep, str(tmp_path / "absent.npy"))
        assert (code, len(errors)) == (2, 1)
        assert "no latents at" in errors[0]

    def test_interrupted_and_resumed_it_is_as_if_it_had_not_been(self, run, tmp_path, monkeypatch):
        command = ("regularise", *QUICK, "--json")
        _, straight, _ = run(*command)
        keep = ("--out", str(tmp_path))
        with monkeypatch.context() as patched:
            patched.setattr(import_module("jscc_sim.cli.regularise"), "progress_bar", interrupting)
            code, lines, errors = run(*command, *keep)
        assert (code, len(lines)) == (130, 1)
        assert f"goes on from the last epoch in {tmp_path / 'none-0'}" in errors[0]
        code, lines, _ = run(*command, *keep)
        assert results(lines) == results(straight)
        assert not list(tmp_path.glob("*/training*"))

    @pytest.mark.slow
    def test_two_workers_come_to_the_same(self, run, tmp_path, monkeypatch):
        monkeypatch.undo()  # workers have the real images and extractors
        pictures = tmp_path / "pictures"
        pictures.mkdir()
        for index, picture in enumerate(np.random.default_rng(0).integers(0, 256, (80, 28, 28), dtype=np.uint8)):
            Image.fromarray(picture).save(pictures / f"{index}.png")
        command = ("regularise", "--data", str(pictures), *QUICK, "--extractor", "mnist_cnn", "--json")
        found = []
        for workers in ("1", "2"):
            code, lines, errors = run(*command, "--workers", workers, "--out", str(tmp_path / workers))
            assert (code, {Path(line).name for line in errors}) == (0, FIGURES)
            found.append(results(lines))
        assert found[0] == found[1]

    def test_another_study_is_never_overwritten(self, run, tmp_path):
        keep = ("--out", str(tmp_path))
        run("regularise", *QUICK, *keep)
        for other in (("--k", "3"), ("--epochs", "3"), ("--batch", "8"), ("--split", "validation"), ("--images", "50")):
            code, lines, errors = run("regularise", *QUICK, *other, *keep)
            assert (code, len(errors), lines) == (2, 1, [])
            assert f"{tmp_path / 'jamming-0'} already holds another study" in errors[0]


class TestRefuses:
    """One clear line on standard error, and exit code 2."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--methods", "jaming"], "no method 'jaming': did you mean 'jamming'?"),
            (["--methods", "wae,"], "no method ''"),
            (["--family", "cnn"], "no family 'cnn': there are conv, mlp"),
            (["--extractor", "lite"], "no extractor 'lite': did you mean 'lite0'?"),
            (["--k", "0"], "not in the range"),
            (["--k", "25"], "48 test images are too few to judge k=25"),
            (["--batch", "97"], "96 images do not make a batch of 97: choose a smaller batch"),
            (["--batch", "1"], "not in the range"),
            (["--images", "10"], "10 images do not make a batch of 16"),
            (["--epochs", "0"], "not in the range"),
            (["--seeds", "0"], "not in the range"),
            (["--seed", "4294967295", "--seeds", "2"], "seeds end at 4294967295"),
            (["--methods", "wae,jamming(hiden=3)"], "no option of jamming 'hiden': did you mean 'hidden'?"),
            (["--methods", "wae(weight=-1)"], "weight and warmup must be 0 or more"),
            (["--prior", "lapace"], "no prior 'lapace': did you mean 'laplace'?"),
            (["--split", "train"], "is not one of"),
            (["--device", "nonsense"], "cannot compute on 'nonsense'"),
        ],
    )
    def test_options(self, arguments, said, run):
        code, lines, errors = run("regularise", *QUICK, *arguments)
        assert (code, len(errors), lines) == (2, 1, [])
        assert said in errors[0]

    def test_a_file_as_folder(self, run, tmp_path):
        (tmp_path / "file").write_text("")
        for out in (tmp_path / "file", tmp_path / "file" / "within"):
            code, _, errors = run("regularise", "--out", str(out))
            assert (code, len(errors)) == (2, 1)
            assert "file is not a folder" in errors[0]

    def test_an_unknown_set(self, run, monkeypatch):
        monkeypatch.undo()
        code, _, errors = run("regularise", "--data", "mnst")
        assert (code, len(errors)) == (2, 1)
        assert "no image set or folder 'mnst'; sets are mnist" in errors[0]

    def test_weights_that_are_not_here(self, run, monkeypatch, tmp_path):
        monkeypatch.undo()
        monkeypatch.setattr("jscc_sim.data.parts.load_parts", lambda name: PARTS)
        monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
        code, lines, errors = run("regularise", *QUICK)
        assert (code, len(errors), lines) == (2, 1, [])
        assert "lite0" in errors[0]
        assert "jscc-sim data" in errors[0]
