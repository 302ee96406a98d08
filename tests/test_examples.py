"""Every example runs from an empty folder and leaves its figure, on a tiny budget."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

# A budget on which every example ends within seconds.
TINY = {
    "audit_of_a_codec": ["--quick"],
    "bpsk_over_awgn": ["--rel-error", "0.5"],
    "exploitability_over_training": ["--steps", "2"],
    "four_systems_and_a_cliff": ["--epochs", "1", "--blocks", "1"],
    "images_under_jamming": ["--rel-error", "0.1"],
    "jammer_turns_gaussian": ["--steps", "5"],
    "jamming_saddle": ["--rel-error", "0.1"],
    "regularise_autoencoder": ["--steps", "20"],
    "regularise_lightning": ["--steps", "20"],
    "regularise_pytorch": ["--steps", "20"],
    "repetition_under_flips": ["--rel-error", "0.5"],
    "shape_blindness": ["--epochs", "2"],
    "uniform_latent": ["--epochs", "2"],
    "waterfall_of_four_codes": ["--rel-error", "0.9", "--ebn0", "0", "2", "--floor", "0.9"],
    "whose_snr_is_it": ["--steps", "5", "--rel-error", "0.2"],
}
EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


def test_none_is_forgotten():
    assert [path.stem for path in EXAMPLES] == sorted(TINY)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_runs_and_leaves_its_figure(path, tmp_path, monkeypatch):
    if "lightning" in path.stem:
        pytest.importorskip("lightning")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(path), *TINY[path.stem]])
    runpy.run_path(str(path), run_name="__main__")
    assert Path(f"{path.stem}.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.slow
def test_a_played_pair_drops_into_the_autoencoder(tmp_path):
    game = ["-m", "jscc_sim.cli", "play", "--k", "2", "--snr", "4", "--sjr", "-6", "--steps", "5", "--quick"]
    game += ["--out", "pair"]
    (path,) = [path for path in EXAMPLES if path.stem == "regularise_autoencoder"]
    subprocess.run(
        [sys.executable, *game], cwd=tmp_path, check=False, capture_output=True
    )  # five steps do not reach J*
    run = [sys.executable, str(path), "--steps", "5", "--pair", "pair"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / f"{path.stem}.png").exists()
