"""The extractors that go by a name."""

from collections.abc import Callable

from jscc_sim.image_metrics import inception, lite0, mnist_cnn
from jscc_sim.image_metrics.extractor import Extractor

# Images at a time: with more, the larger networks are slower on a core, as its cache is too small.
FEW = 4


def fid_inception() -> Extractor:
    """What FID and KID mean: features of the 2015 Inception network."""
    network = inception.load_inception()
    return Extractor(
        "fid_inception", network, inception.FEATURES, frechet="fid_inception", kernel="kid_inception", batch=FEW
    )


def efficientnet_lite0() -> Extractor:
    """Features of natural images at a sixth of Inception's cost."""
    return Extractor("lite0", lite0.load_lite0(), lite0.FEATURES, batch=FEW, stages=lite0.ENDS)


def digits() -> Extractor:
    """Features of MNIST's digits, from a network that comes along."""
    return Extractor("mnist_cnn", mnist_cnn.load_mnist_cnn(), mnist_cnn.FEATURES, stages=mnist_cnn.STAGES)


EXTRACTORS: dict[str, Callable[[], Extractor]] = {
    "fid_inception": fid_inception,
    "lite0": efficientnet_lite0,
    "mnist_cnn": digits,
}


def extractor(name: str) -> Extractor:
    """The extractor of that name with its weights; one line if there is none, or if its weights are not here."""
    if name not in EXTRACTORS:
        raise ValueError(f"no extractor {name!r}; extractors are {', '.join(EXTRACTORS)}")
    return EXTRACTORS[name]()
