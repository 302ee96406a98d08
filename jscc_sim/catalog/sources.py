"""Sources by name, as in ``images:mnist`` or ``gaussian:0.9``, and the codecs that suit each."""

from collections.abc import Callable

import numpy as np

from jscc_sim.data.loading import files_of
from jscc_sim.data.parts import load_parts
from jscc_sim.sources import Bits, Gaussian, Images, Laplace, Source, Uniform, exponential_covariance
from jscc_sim.spelling import known, number

SOURCE_NAMES: dict[str, Callable[[str, int], Source]] = {
    "bits": lambda name, k: Bits(k),
    "gaussian": lambda name, k: _gaussian(name, k),
    "images": lambda name, k: _images(name),
    "laplace": lambda name, k: Laplace(k),
    "uniform": lambda name, k: Uniform(k),
}
SOURCE_TAKES = {"gaussian": "--k, :CORRELATION or :FILE.npy", "images": ":SET, :FOLDER or :unseen:FOLDER"}
SOURCE_CODECS = {"bits": ("uncoded", "repetition-3"), "images": ("klt",)}
COLOURED_WORDS = 16


def build_source(name: str, k: int | None, usual_k: int) -> Source:
    """``kind`` or ``kind:name``, with words of ``k`` symbols if that is asked for."""
    kind, _, of = name.partition(":")
    known("source", kind, SOURCE_NAMES)
    if of and kind not in SOURCE_TAKES:
        raise ValueError(f"source {kind!r} takes no name, got {of!r}")
    usual = COLOURED_WORDS if of else usual_k
    source = SOURCE_NAMES[kind](of, usual if k is None else k)
    if k not in (None, source.k):
        raise ValueError(f"source {name!r} has words of k={source.k} symbols, not --k {k}: leave --k out")
    return source


def usual_codecs(source: str) -> tuple[str, ...]:
    """The codecs that suit a source if none is named."""
    kind, _, of = source.partition(":")
    if kind == "gaussian" and of:
        return ("klt",)
    return SOURCE_CODECS.get(kind, ("linear",))


def unseen(data: str) -> str:
    """The name of the images that a codec which learned from some never saw: a set's for test, or part of a folder."""
    return f"images:{'' if files_of(data, 'test', 'images') else 'unseen:'}{data}"


def _images(name: str) -> Images:
    """All that there are of a name; of ``unseen:NAME`` those that no codec learns from."""
    folder = name.removeprefix("unseen:")
    return Images(name) if folder == name else Images(name, load_parts(folder).test.images)


def _gaussian(name: str, k: int) -> Gaussian:
    """White, of correlated neighbours (``gaussian:0.9``), or of the covariance in a file (``gaussian:FILE.npy``)."""
    if not name:
        return Gaussian(k)
    if not name.endswith(".npy"):
        return Gaussian(covariance=exponential_covariance(k, number("source 'gaussian'", name)))
    try:
        return Gaussian(covariance=np.load(name, allow_pickle=False))
    except (EOFError, ValueError) as error:
        raise ValueError(f"{name} holds no covariance: {error}") from None
