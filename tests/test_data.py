"""Readers of image sets: the shipped one, IDX and CIFAR files, pictures, and files that are none of these."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from channels import AWGN
from jscc_sim.case import Case
from jscc_sim.codecs import Linear
from jscc_sim.data import SETS, SHIPPED, TEST_IMAGES, WEIGHTS, known_set, load_images, load_labels, read_idx
from jscc_sim.data.idx import idx_bytes
from jscc_sim.data.sets import BINARY
from jscc_sim.link import Link
from jscc_sim.sources import SOURCES, Bits, Gaussian, Images, Laplace, Source, Uniform

PIXELS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
IDX = b"\x00\x00\x08\x03" + struct.pack(">III", *PIXELS.shape) + PIXELS.tobytes()
LABELS = b"\x00\x00\x08\x01" + struct.pack(">I", 2) + b"\x07\x02"


def test_the_shipped_set_is_what_it_says():
    images = load_images()
    assert images.shape == (1000, 28, 28)
    assert hashlib.sha256(images.tobytes()).hexdigest()[:16] == "8d46efb2efae7259"
    assert "MIT License" in (SHIPPED.parent / "LICENSE.fashion-mnist").read_text()


def test_the_shipped_set_opens_the_real_one():
    try:
        whole = load_images("fashion-mnist")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    assert np.array_equal(whole[:1000], load_images())


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", SETS)
def test_real_sets_are_what_they_say(name, split):
    try:
        images, labels = load_images(name, split), load_labels(name, split)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    count = {"train": 50_000 if name == "cifar10" else 60_000, "test": 10_000}[split]
    assert images.shape == (count, *SETS[name].shape)
    assert images.dtype == labels.dtype == np.uint8
    assert (np.bincount(labels) > 0.8 * count / 10).all()
    assert len(np.bincount(labels)) == 10
    # The published means: MNIST 0.1307, Fashion-MNIST 0.2860, CIFAR-10 0.4914, 0.4822, 0.4465 on the training images.
    mean = {"mnist": 0.1307, "fashion-mnist": 0.2860, "cifar10": [0.4914, 0.4822, 0.4465]}[name]
    assert np.allclose(images.mean((0, 1, 2)) / 255, mean, atol=1e-4 if split == "train" else 0.005)


@pytest.mark.parametrize("packed", [False, True])
def test_reads_idx_from_a_folder_and_by_name(tmp_path, monkeypatch, packed):
    folder = tmp_path / "mnist"
    folder.mkdir()
    name, raw = (f"{TEST_IMAGES}.gz", gzip.compress(IDX)) if packed else (TEST_IMAGES, IDX)
    (folder / name).write_bytes(raw)
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
    assert np.array_equal(load_images(str(folder)), PIXELS)
    assert np.array_equal(load_images("mnist"), PIXELS)
    (folder / name.replace("t10k-images-idx3", "train-labels-idx1")).write_bytes(
        gzip.compress(LABELS) if packed else LABELS
    )
    assert load_labels("mnist", "train").tolist() == [7, 2]
    assert load_labels(str(folder), "train").tolist() == [7, 2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A data folder whose mnist is two small images, every byte from 0 to 255 in them."""
    pixels = np.arange(256, dtype=np.uint8).reshape(2, 16, 8)
    write_mnist(tmp_path / "mnist", pixels)
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
    return tmp_path


def write_mnist(folder, pixels):
    folder.mkdir(exist_ok=True)
    (folder / TEST_IMAGES).write_bytes(idx_bytes(pixels))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(len(pixels), dtype=np.uint8)))


class TestBlackAndWhite:
    def test_is_white_above_one_half_and_black_below(self, home):
        grey, binary = load_images("mnist"), load_images("binary-mnist")
        assert binary.dtype == np.uint8
        assert np.array_equal(binary, np.where(grey / 255 > 0.5, 255, 0))
        assert np.array_equal(load_labels("binary-mnist"), load_labels("mnist"))

    def test_every_known_set_has_a_version(self):
        assert {name: images.name for name, images in BINARY.items()} == {f"binary-{name}": name for name in SETS}
        assert not BINARY.keys() & (SETS.keys() | WEIGHTS.keys())

    def test_asks_for_the_set_that_it_is_made_of(self, home):
        with pytest.raises(FileNotFoundError, match="run jscc-sim data fetch mnist,"):
            load_images("binary-mnist", "train")
        with pytest.raises(ValueError, match="binary-mnist is made of mnist: ask for that"):
            known_set("binary-mnist")
        with pytest.raises(FileNotFoundError, match=r"'binary-binary-mnist'; sets are .*, and binary-NAME of each"):
            load_images("binary-binary-mnist")

    def test_sources_know_whether_they_are(self, home):
        assert Images("binary-mnist").is_binary
        assert not Images("mnist").is_binary
        assert not Images().is_binary
        pixels = np.zeros((3, 2, 2), np.uint8)
        for last, found in ((255, True), (254, False), (1, False), (0, True)):
            pixels[-1, -1, -1] = last
            write_mnist(home / "mnist", pixels)
            assert Images("mnist").is_binary is found

    def test_asking_them_changes_no_key(self, home):
        source = Images("binary-mnist")
        case, asked = (Case(Link(source, Linear(source.k), AWGN(1.0))) for _ in range(2))
        before = case.key
        assert source.is_binary
        assert asked.key == before


def test_reads_cifar_planes_as_colours(tmp_path, monkeypatch):
    folder = tmp_path / "cifar10"
    folder.mkdir()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(12, dtype=np.uint8) % 10
    records = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for label, image in zip(labels, images, strict=True)]
    (folder / "test_batch.bin").write_bytes(b"".join(records[:2]))
    for index in range(5):
        (folder / f"data_batch_{index + 1}.bin").write_bytes(b"".join(records[2 + 2 * index : 4 + 2 * index]))
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
    for name in ("cifar10", str(folder)):
        assert np.array_equal(load_images(name), images[:2])
        assert np.array_equal(load_images(name, "train"), images[2:])
        assert np.array_equal(load_labels(name), labels[:2])
        assert np.array_equal(load_labels(name, "train"), labels[2:])
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"data_batch_3\.bin is missing"):
        load_images("cifar10", "train")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not a CIFAR-10 binary: 0 bytes"),
        (bytes(3072), "not a CIFAR-10 binary: 3072 bytes"),
        (b"\x0a" + bytes(3072), "a label is 10"),
    ],
)
def test_refuses_other_records(tmp_path, raw, said):
    (tmp_path / "test_batch.bin").write_bytes(raw)
    with pytest.raises(ValueError, match=said):
        load_images(str(tmp_path))


@pytest.mark.parametrize(
    ("raw", "said"),
    [(b"", "not an IDX file of labels"), (IDX, "not an IDX file of labels"), (LABELS[:-1], "should hold 2 labels")],
)
def test_refuses_other_labels(tmp_path, raw, said):
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(raw)
    with pytest.raises(ValueError, match=said):
        load_labels(str(tmp_path))


def test_names_what_a_set_lacks(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    Image.new("L", (4, 4)).save(tmp_path / "b.png")
    for name in ("", str(tmp_path)):
        with pytest.raises(FileNotFoundError, match=f"{name or 'the shipped set'} has no train images"):
            load_images(name, "train")
        with pytest.raises(FileNotFoundError, match=f"{name or 'the shipped set'} has no test labels"):
            load_labels(name)
    with pytest.raises(ValueError, match="split must be one of train, test, got 'validation'"):
        load_images("", "validation")


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("x", b"", "is not an IDX file"),
        ("x", b"\x89PNG" + IDX, "is not an IDX file"),
        ("x", IDX[:-1], "should hold 2 images"),
        ("x", IDX + b"x", "should hold 2 images"),
        ("x", IDX[:4] + struct.pack(">III", 0, 3, 4), "holds 0 images"),
        ("x", IDX[:4] + struct.pack(">III", 2, 0, 4), "no pixels"),
        ("x.gz", gzip.compress(IDX)[:-9], "cannot be unpacked"),
        ("x.gz", IDX, "cannot be unpacked"),
    ],
)
def test_refuses_other_files(tmp_path, name, raw, said):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(ValueError, match=said):
        read_idx(tmp_path / name)


def test_reads_pictures_grey_and_in_colour(tmp_path):
    rng = np.random.default_rng(0)
    for shape in ((5, 4), (5, 4, 3)):
        folder = tmp_path / str(len(shape))
        folder.mkdir()
        pictures = rng.integers(0, 256, (3, *shape), dtype=np.uint8)
        for index, picture in enumerate(pictures):
            Image.fromarray(picture).save(folder / f"{index}.png")
        (folder / "notes.txt").write_text("not a picture")
        assert np.array_equal(load_images(str(folder)), pictures)
        assert Images(str(folder)).k == pictures[0].size


def test_names_what_is_wrong_with_a_folder(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="holds 0 PNG or JPEG"):
        load_images(str(tmp_path))
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    Image.new("L", (4, 5)).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"b\.png is \(5, 4\), but a\.png is \(4, 4\)"):
        load_images(str(tmp_path))
    (tmp_path / "b.png").write_text("text")
    with pytest.raises(ValueError, match=r"b\.png is not a picture"):
        load_images(str(tmp_path))
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match="more than 8 bits"):
        load_images(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="sets are mnist, fashion-mnist, cifar10"):
        load_images("nowhere")
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no mnist under") as caught:
        load_images("mnist")
    for way in ("jscc-sim data fetch mnist", "jscc-sim data import mnist PATH", "JSCC_SIM_DATA"):
        assert way in str(caught.value)


class TestSources:
    SOME = {  # noqa: RUF012
        "gaussian": Gaussian(3),
        "laplace": Laplace(3),
        "uniform": Uniform(3),
        "bits": Bits(3),
        "images": Images(),
    }

    def test_none_is_forgotten(self):
        assert self.SOME.keys() == SOURCES.keys()

    @pytest.mark.parametrize("source", SOME.values(), ids=SOME)
    def test_draw_words_of_their_alphabet(self, source: Source):
        torch.manual_seed(0)
        words = source.draw(4000)
        assert words.shape == (4000, source.k)
        assert words.dtype == torch.float32
        if source.alphabet == "bits":
            assert set(words.unique().tolist()) == {0.0, 1.0}

    def test_images_are_whole_pixels_with_exact_moments(self):
        source = Images()
        words = source.draw(50) * 255
        assert torch.allclose(words, words.round(), atol=1e-4)
        values, vectors = source.karhunen_loeve
        pixels = source.pixels.numpy() / 255
        assert values.sum() == pytest.approx(pixels.var(axis=0).sum())
        assert np.allclose(vectors.T @ vectors, np.eye(source.k), atol=1e-8)

    def test_refuse_empty_words(self):
        for kind in (Gaussian, Laplace, Uniform, Bits):
            with pytest.raises(ValueError, match="k must be at least 1, got 0"):
                kind(0)
