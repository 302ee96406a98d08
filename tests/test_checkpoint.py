"""Checkpoints come back whole, or not at all."""

import json
from pathlib import Path

import pytest
import torch

from jscc_sim.checkpoint import Record, _digest, load_part, load_state, save_part, save_state
from jscc_sim.codecs import NeuralCodec
from jscc_sim.players import load_codec, load_policy

RECORD = Record("codec", "free", {"k": 1, "n": 1, "hidden": 4}, 10.0, 0.0, 3, 100)


@pytest.fixture
def folder(tmp_path):
    save_part(tmp_path / "codec", RECORD, NeuralCodec(1, 1, 4).state_dict())
    return tmp_path


class TestPart:
    @pytest.mark.parametrize("name", ["codec.json", "codec.safetensors", ""])
    def test_comes_back_by_either_file_or_the_folder(self, folder, name):
        record, tensors = load_part(folder / name, "codec")
        assert record == RECORD
        assert torch.equal(tensors["encoder.line.weight"], load_codec(folder)[0].encoder.line.weight)

    @pytest.mark.parametrize("name", ["codec", "codec.safetensor", "nowhere"])
    def test_refuses_mistyped_names(self, folder, name):
        with pytest.raises(FileNotFoundError, match="no codec at"):
            load_part(folder / name, "codec")

    @pytest.mark.parametrize("name", ["codec.json", "codec.safetensors"])
    def test_names_the_missing_file(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(FileNotFoundError, match=f"{name} is missing"):
            load_part(folder, "codec")

    @pytest.mark.parametrize("cut", [0, 10, -1])
    def test_refuses_weights_cut_short(self, folder, cut):
        weights = folder / "codec.safetensors"
        weights.write_bytes(weights.read_bytes()[:cut])
        with pytest.raises(ValueError, match=r"codec\.safetensors is not the file that .*codec\.json describes"):
            load_part(folder, "codec")

    def test_refuses_weights_tampered_with(self, folder):
        weights = folder / "codec.safetensors"
        raw = bytearray(weights.read_bytes())
        raw[-1] ^= 1
        weights.write_bytes(raw)
        with pytest.raises(ValueError, match="sha256 differs"):
            load_part(folder, "codec")

    @pytest.mark.parametrize("text", ["", "{", "[1]", "5", "{}"])
    def test_refuses_a_description_that_is_none(self, folder, text):
        (folder / "codec.json").write_text(text)
        with pytest.raises(ValueError, match=r"codec\.json does not describe a codec"):
            load_part(folder, "codec")

    @pytest.mark.parametrize(
        "field",
        [
            {"snr_db": "x"},
            {"sjr_db": None},
            {"unknown": 1},
            *({"arguments": wrong} for wrong in (None, [1], {"foo": 1}, {"k": 1.0}, {"k": True}, {"k": 2, "n": 2})),
        ],
    )
    def test_refuses_nonsense_in_the_description(self, folder, field):
        path = folder / "codec.json"
        said = json.loads(path.read_text()) | field
        said.pop("sha256")
        signed = _digest(path.with_suffix(".safetensors").read_bytes(), said)
        for digest, wrong in ((signed, "does not"), ("0", "sha256 differs")):
            path.write_text(json.dumps({**said, "sha256": digest}))
            with pytest.raises(ValueError, match=wrong) as caught:
                load_codec(folder)
            assert str(folder) in str(caught.value)

    @pytest.mark.parametrize("field", [{"snr_db": 9.0}, {"sjr_db": 3.0}, {"seed": 1}, {"steps": 9}])
    def test_refuses_an_edited_description(self, folder, field):
        path = folder / "codec.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | field))
        with pytest.raises(ValueError, match="or one was edited: the sha256 differs"):
            load_codec(folder)

    def test_refuses_a_codec_as_policy(self, folder):
        for suffix in (".json", ".safetensors"):
            (folder / f"codec{suffix}").rename(folder / f"policy{suffix}")
        with pytest.raises(ValueError, match="describes a codec, not a policy"):
            load_policy(folder)

    def test_refuses_empty_weights(self, folder):
        save_part(folder / "codec", RECORD, {})
        with pytest.raises(ValueError, match="does not hold"):
            load_codec(folder)

    def test_refuses_what_is_no_safetensors_under_its_own_digest(self, folder, monkeypatch):
        monkeypatch.setattr("jscc_sim.checkpoint.save", lambda tensors: b"\x80\x04]q\x00.")  # a pickle
        save_part(folder / "codec", RECORD, {})
        with pytest.raises(ValueError, match=r"codec\.safetensors cannot be read"):
            load_codec(folder)


class TestState:
    @staticmethod
    def save(path, done):
        save_state(path, {"done": done, "link": "a link"}, {"weights": torch.full((3,), float(done))})

    @staticmethod
    def holds(path):
        """The steps done by a checkpoint that is whole."""
        said, tensors = load_state(path)
        assert tensors["weights"].tolist() == [said["done"]] * 3
        return said["done"]

    def test_comes_back_and_the_one_before_is_gone(self, tmp_path):
        path = tmp_path / "new" / "training"
        for done in (5, 10, 10, 1000):
            self.save(path, done)
            assert self.holds(path) == done
            assert {file.name for file in path.parent.iterdir()} == {"training.json", f"training-{done}.safetensors"}

    @pytest.mark.parametrize("operation", range(5))
    def test_a_kill_at_any_moment_leaves_a_whole_one(self, operation, tmp_path, monkeypatch):
        """Each file is written beside its place and put there in one stroke; then the old weights go."""
        path, calls = tmp_path / "training", []
        self.save(path, 5)

        def killed(name):
            act = getattr(Path, name)

            def may(file, *given, **named):
                if len(calls) == operation:
                    if name == "write_bytes":
                        act(file, given[0][: len(given[0]) // 2])
                    raise KeyboardInterrupt
                calls.append(name)
                return act(file, *given, **named)

            return may

        with monkeypatch.context() as patched:
            for name in ("write_bytes", "replace", "unlink"):
                patched.setattr(Path, name, killed(name))
            with pytest.raises(KeyboardInterrupt):
                self.save(path, 10)
        assert calls == ["write_bytes", "replace", "write_bytes", "replace"][:operation]
        assert self.holds(path) == (5 if operation < 4 else 10)
        self.save(path, 15)
        assert self.holds(path) == 15

    def test_a_full_disk_leaves_the_one_before(self, tmp_path, monkeypatch):
        path = tmp_path / "training"
        self.save(path, 5)

        def full(file, raw):
            raise OSError(28, "No space left on device", str(file))

        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", full)
            with pytest.raises(OSError, match="No space left"):
                self.save(path, 10)
        assert self.holds(path) == 5

    def test_weights_are_read_beside_the_description_only(self, tmp_path):
        path = tmp_path / "inner" / "training"
        self.save(path, 5)
        (path.parent / "training-5.safetensors").rename(tmp_path / "training-5.safetensors")
        file = path.with_suffix(".json")
        file.write_text(json.dumps(json.loads(file.read_text()) | {"weights": "../training-5.safetensors"}))
        with pytest.raises(FileNotFoundError, match=r"training\.json speaks of training-5\.safetensors"):
            load_state(path)

    def test_a_moved_folder_is_as_good(self, tmp_path):
        self.save(tmp_path / "a" / "training", 5)
        (tmp_path / "a").rename(tmp_path / "b")
        assert self.holds(tmp_path / "b" / "training") == 5
