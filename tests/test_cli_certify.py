"""``jscc-sim certify`` from the command line."""

import json

import numpy as np
import pytest

FACTORY = """
import torch
from jscc_sim.codecs import Linear

def codec(k, n):
    return Linear(k, n)

class Noise(torch.nn.Module):
    def forward(self, x):
        return torch.randn_like(x)

def noise(k):
    return Noise()

def nothing(k):
    return None
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_certified.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    return "own_certified"


def test_a_table(run):
    code, out, _ = run("certify", "--codec", "linear", "--policy", "two-point", "--quick")
    assert code == 0
    assert out[0] == "codec linear against jammer two-point, seed 0"
    assert out[1].startswith("J* = 0.52381")
    assert any(line.startswith("U ") and "proved" in line for line in out)
    assert any("saddle point" in line for line in out)


def test_json_and_a_figure(run, tmp_path):
    figure = tmp_path / "certificate.png"
    code, out, errors = run("certify", "--policy", "uniform", "--quick", "--json", "--plot", str(figure))
    assert code == 0
    record = json.loads(out[0])
    named = {"payoff_ratio", "upper", "lower", "upper_found", "lower_found", "certified", "ks", "nash_conv"}
    assert named <= record.keys()
    assert record["upper"] == pytest.approx(1)
    assert figure.stat().st_size > 10_000
    assert errors == [f"figure: {figure}"]


def test_a_figure_of_words(run, tmp_path):
    figure = tmp_path / "words.pdf"
    assert run("certify", "--codec", "linear", "--k", "4", "--quick", "--plot", str(figure))[0] == 0
    assert figure.exists()


def test_parts_of_ones_own(run, own):
    code, out, _ = run("certify", "--codec", f"{own}:codec", "--policy", f"{own}:noise", "--quick", "--json")
    assert code == 0
    record = json.loads(out[0])
    assert record["lower"] is None  # nobody vouches for a stranger's independence
    assert record["lower_unproved"] > 0.99
    assert record["lower_found"] == min(
        1.0, record["payoff_paired"]
    )  # a bound that is not proved is not a codec that was found
    assert "must return a torch.nn.Module" in run("certify", "--policy", f"{own}:nothing")[2][0]


def test_latents(run, tmp_path):
    file = tmp_path / "latents.npy"
    np.save(file, np.random.default_rng(0).standard_normal((2**15, 2)))
    code, out, _ = run("certify", "--policy", str(file), "--quick", "--json")
    assert code == 0
    record = json.loads(out[0])
    assert record["k"] == 2
    assert 0.95 < record["lower"] < 1
    for wrong in (np.zeros(3), np.zeros((3, 2), dtype=int)):
        np.save(file, wrong)
        assert "latents" in run("certify", "--policy", str(file))[2][0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "nothing to certify"),
        (("--pair", "x", "--codec", "linear"), "--pair brings its own"),
        (("--pair", "/no/such/folder"), "no pair at"),
        (("--codec", "lineer"), "did you mean 'linear'"),
        (("--codec", "linear", "--plot", "x.nonsense"), "cannot draw"),
        (("--codec", "linear", "--snr", "nan"), "not finite"),
        (("--policy", "missing.npy"), "missing.npy"),
    ],
)
def test_errors_in_one_line(run, arguments, says):
    code, out, errors = run("certify", *arguments)
    assert code == 2
    assert not out
    assert says in errors[-1]
