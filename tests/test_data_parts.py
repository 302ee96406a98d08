"""Train, validation and test: apart from each other, shuffled by the seed alone, labels with their images."""

import numpy as np
import pytest
from PIL import Image

from jscc_sim.data import describe, load_labels, load_parts
from jscc_sim.data.idx import idx_bytes

TRAIN, TEST = 60, 40


@pytest.fixture
def folder(tmp_path):
    """Files as MNIST's; an image's pixels are its number, its label that number modulo 7; test images from 100."""
    for split, first, count in (("train", 0, TRAIN), ("t10k", 100, TEST)):
        numbers = np.arange(first, first + count, dtype=np.uint8)
        images = np.broadcast_to(numbers[:, None, None], (count, 3, 2)).copy()
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(idx_bytes(numbers % 7))
    return tmp_path


def numbers(part) -> list[int]:
    return part.images[:, 0, 0].tolist()


def test_validation_is_the_first_training_images_whatever_the_seed(folder):
    for seed in (0, 1):
        parts = load_parts(str(folder), seed, validation=10)
        assert sorted(numbers(parts.validation)) == list(range(10))
        assert sorted(numbers(parts.train)) == list(range(10, TRAIN))
        assert sorted(numbers(parts.test)) == list(range(100, 100 + TEST))


def test_the_seed_alone_decides_the_order(folder):
    one, same, other = (load_parts(str(folder), seed, validation=10) for seed in (1, 1, 2))
    for part in ("train", "validation", "test"):
        assert numbers(getattr(one, part)) == numbers(getattr(same, part)) != numbers(getattr(other, part))
        assert numbers(getattr(one, part)) != sorted(numbers(getattr(one, part)))


def test_labels_go_with_their_images(folder):
    parts = load_parts(str(folder), validation=10)
    for part in (parts.train, parts.validation, parts.test):
        assert part.labels.tolist() == [number % 7 for number in numbers(part)]
        assert len(part) == len(part.labels)


def test_black_and_white_parts_are_those_of_their_set(folder, monkeypatch):
    (folder / "mnist").symlink_to(folder)
    monkeypatch.setenv("JSCC_SIM_DATA", str(folder))
    grey, binary = (load_parts(name, seed=1, validation=10) for name in ("mnist", "binary-mnist"))
    assert set(numbers(binary.test)) == {0, 255}
    for part in ("train", "validation", "test"):
        mine, its = getattr(binary, part), getattr(grey, part)
        assert np.array_equal(mine.images, (its.images >= 128) * 255)
        assert np.array_equal(mine.labels, its.labels)


def test_a_set_without_labels_has_none(folder):
    for path in folder.glob("*labels*"):
        path.unlink()
    assert load_parts(str(folder), validation=10).test.labels is None


@pytest.mark.parametrize("validation", [-1, TRAIN, 10_000])
def test_refuses_to_leave_nothing_to_train_on(folder, validation):
    with pytest.raises(ValueError, match="validation must be 0 to 59"):
        load_parts(str(folder), validation=validation)


def test_pictures_are_divided_by_name(tmp_path):
    for number in range(40):
        Image.fromarray(np.full((2, 2), number, np.uint8)).save(tmp_path / f"{number:02}.png")
    parts = load_parts(str(tmp_path), seed=3)
    assert sorted(numbers(parts.validation)) == [0, 1, 2, 3]
    assert sorted(numbers(parts.train)) == list(range(4, 36))
    assert sorted(numbers(parts.test)) == [36, 37, 38, 39]
    assert parts.train.labels is None


def test_a_missing_set_names_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("JSCC_SIM_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="jscc-sim data fetch mnist"):
        load_parts("mnist")


def test_mnist_in_its_published_sizes():
    if "train" not in {state.name: state.splits for state in describe()}["mnist"]:
        pytest.skip("the images are not here: jscc-sim data fetch mnist")
    parts = load_parts("mnist")
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [50_000, 10_000, 10_000]
    assert np.bincount(parts.test.labels).tolist() == np.bincount(load_labels("mnist")).tolist()
