"""Checkpoints come back whole, or not at all."""

import json

import pytest
import torch

from jscc_sim.catalog import load_codec, load_policy
from jscc_sim.checkpoint import Record, load_part, save_part
from jscc_sim.codecs import NeuralCodec

RECORD = Record("codec", "neural", {"k": 1, "n": 1, "hidden": 4}, 10.0, 0.0, 3, 100)


@pytest.fixture
def folder(tmp_path):
    save_part(tmp_path / "codec", RECORD, NeuralCodec(1, 1, 4).state_dict())
    return tmp_path


@pytest.mark.parametrize("name", ["codec.json", "codec.safetensors", ""])
def test_comes_back_by_either_file_or_the_folder(folder, name):
    record, tensors = load_part(folder / name, "codec")
    assert record == RECORD
    assert torch.equal(tensors["encoder.line.weight"], load_codec(folder)[0].encoder.line.weight)


@pytest.mark.parametrize("name", ["codec", "codec.safetensor", "nowhere"])
def test_refuses_mistyped_names(folder, name):
    with pytest.raises(FileNotFoundError, match="no codec at"):
        load_part(folder / name, "codec")


def test_names_the_missing_file(folder):
    (folder / "codec.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"codec\.safetensors is missing"):
        load_part(folder, "codec")


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_refuses_other_weights_than_it_describes(folder, cut):
    weights = folder / "codec.safetensors"
    weights.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(ValueError, match="sha256 differs"):
        load_part(folder, "codec")


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", '{"sha256": "x", "unknown": 1}'])
def test_refuses_a_description_that_is_none(folder, text):
    (folder / "codec.json").write_text(text)
    with pytest.raises(ValueError, match="does not describe a codec"):
        load_part(folder, "codec")


@pytest.mark.parametrize(
    "field",
    [{"arguments": {"k": 1.0}}, {"arguments": None}, {"arguments": [1]}, {"arguments": {"foo": 1}}, {"snr_db": "x"}],
)
def test_refuses_nonsense_in_the_description(folder, field):
    path = folder / "codec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | field))
    with pytest.raises(ValueError, match="does not"):
        load_codec(folder)


def test_refuses_a_codec_as_policy(folder):
    for suffix in (".json", ".safetensors"):
        (folder / f"codec{suffix}").rename(folder / f"policy{suffix}")
    with pytest.raises(ValueError, match="describes a codec, not a policy"):
        load_policy(folder)


def test_refuses_weights_of_another_size(folder):
    path = folder / "codec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"arguments": {"k": 2, "n": 2}}))
    with pytest.raises(ValueError, match="does not hold the weights it describes"):
        load_codec(folder)


def test_weights_that_are_no_safetensors(folder):
    save_part(folder / "codec", RECORD, {})
    with pytest.raises(ValueError, match="does not hold"):
        load_codec(folder)
