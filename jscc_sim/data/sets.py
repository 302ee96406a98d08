"""The sets that go by a name, as their authors published them, and the folder where they are kept."""

import os
from pathlib import Path

from jscc_sim.data.imageset import Archive, ImageSet, SetFile
from jscc_sim.data.weights import WEIGHTS


def _train(images: str, labels: str) -> tuple[SetFile, SetFile]:
    """MNIST's 60,000 training images and their labels, by SHA-256."""
    return (
        SetFile("train-images-idx3-ubyte", "images", "train", 60_000, images),
        SetFile("train-labels-idx1-ubyte", "labels", "train", 60_000, labels),
    )


def _test(images: str, labels: str) -> tuple[SetFile, SetFile]:
    """MNIST's 10,000 test images and their labels, by SHA-256."""
    return (
        SetFile("t10k-images-idx3-ubyte", "images", "test", 10_000, images),
        SetFile("t10k-labels-idx1-ubyte", "labels", "test", 10_000, labels),
    )


def _gzipped(train_images: str, train_labels: str, test_images: str, test_labels: str) -> tuple[Archive, ...]:
    """MNIST's four files as they are published, by MD5."""
    return (
        Archive("train-images-idx3-ubyte.gz", train_images),
        Archive("train-labels-idx1-ubyte.gz", train_labels),
        Archive("t10k-images-idx3-ubyte.gz", test_images),
        Archive("t10k-labels-idx1-ubyte.gz", test_labels),
    )


MNIST = ImageSet(
    name="mnist",
    shape=(28, 28),
    files=(
        *_train(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        *_test(
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    archives=_gzipped(
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
)

FASHION_MNIST = ImageSet(
    name="fashion-mnist",
    shape=(28, 28),
    files=(
        *_train(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        *_test(
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    archives=_gzipped(
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    # The first has no https; the hashes make up for it.
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    licence="MIT, Zalando SE",
)


def _batch(name: str, sha256: str) -> SetFile:
    """10,000 of CIFAR-10's records."""
    return SetFile(name, "records", "test" if name == "test_batch.bin" else "train", 10_000, sha256)


CIFAR10 = ImageSet(
    name="cifar10",
    shape=(32, 32, 3),
    files=(
        _batch("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        _batch("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        _batch("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        _batch("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        _batch("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        _batch("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    ),
    archives=(Archive("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),),
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    licence="none stated, Alex Krizhevsky (2009): use it, do not redistribute it",
)

SETS: dict[str, ImageSet] = {"mnist": MNIST, "fashion-mnist": FASHION_MNIST, "cifar10": CIFAR10}
# Made of these sets' own files when they are read: each value black or white.
BINARY: dict[str, ImageSet] = {f"binary-{name}": images for name, images in SETS.items()}


def known_set(name: str) -> ImageSet:
    """The set of that name, or a ValueError that lists the names."""
    if name in BINARY:
        raise ValueError(f"{name} is made of {BINARY[name].name}: ask for that")
    if name not in SETS:
        raise ValueError(f"no image set {name!r}; sets are {', '.join(SETS)}; weights are {', '.join(WEIGHTS)}")
    return SETS[name]


def data_home(home: str | Path | None = None) -> Path:
    """The folder that holds one folder per set: ``home``, else ``$JSCC_SIM_DATA``, else ``~/.cache/jscc-sim``."""
    return Path(home or os.environ.get("JSCC_SIM_DATA") or "~/.cache/jscc-sim").expanduser()
