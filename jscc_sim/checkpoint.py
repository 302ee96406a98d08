"""Trained parts and unfinished trainings on disk: weights as safetensors, the rest as JSON, never pickle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

Kind = Literal["policy", "codec"]
Plain = str | int | float | bool | None | list[int]
Tensors = dict[str, Tensor]
SUFFIXES = (".json", ".safetensors")


@dataclass(frozen=True)
class Record:
    """What a checkpoint says beside its tensors: how to build the part again, and what it was trained for.

    That is the game at two powers, or where these are None what ``trained`` says.
    """

    kind: Kind
    name: str
    arguments: Mapping[str, Plain]
    snr_db: float | None
    sjr_db: float | None
    seed: int
    steps: int
    trained: Mapping[str, Plain] = field(default_factory=dict)

    @property
    def played(self) -> bool:
        """Whether it was trained in a game."""
        return self.snr_db is not None and self.sjr_db is not None


def short_name(part: str) -> str:
    """How a part that was asked for by name, file or folder is shown.

    >>> short_name("games/pair.json"), short_name("bits/iabf-100-bsc-0.1-0"), short_name("uncoded")
    ('pair', 'iabf-100-bsc-0.1-0', 'uncoded')
    """
    path = Path(part)
    return path.stem if path.suffix in SUFFIXES else path.name


def save_part(path: Path, record: Record, tensors: Tensors) -> None:
    """Write ``path.safetensors`` and ``path.json``, the latter with a digest of both."""
    _write(path, path.with_suffix(".safetensors"), asdict(record), tensors)


def load_part(path: Path, kind: Kind) -> tuple[Record, Tensors]:
    """The part saved at ``path`` (either of its two files, or the folder that holds it under the name of its kind)."""
    stem = path / kind if path.is_dir() else path
    if stem is path and path.suffix not in SUFFIXES:
        raise FileNotFoundError(f"no {kind} at {path}: name its folder or one of its files, {' or '.join(SUFFIXES)}")
    described, weights = (stem.with_suffix(suffix) for suffix in SUFFIXES)
    for file in (described, weights):
        if not file.is_file():
            raise FileNotFoundError(f"no {kind} at {path}: {file} is missing; was its training finished?")
    wrong = f"{described} does not describe a {kind}"
    try:
        fields = json.loads(described.read_text())
        digest = fields.pop("sha256")
    except KeyError:
        raise ValueError(f"{wrong}: it lacks a sha256") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{wrong}: {error}") from None
    tensors = _read(weights, digest, described, fields)
    try:
        record = Record(**fields)
        _check_types(record)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{wrong}: {error}") from None
    if record.kind != kind:
        raise ValueError(f"{described} describes a {record.kind}, not a {kind}")
    return record, tensors


def has_part(path: Path) -> bool:
    """Whether both files of a part are there."""
    return all(path.with_suffix(suffix).is_file() for suffix in SUFFIXES)


def save_state(path: Path, said: Mapping[str, object], tensors: Tensors) -> None:
    """Write an unfinished training as ``path.json`` and the file of weights that it names.

    The JSON is replaced in one stroke after the weights are there, so that a kill at any moment leaves a whole
    checkpoint, the new one or the one before.
    """
    described, before = path.with_suffix(".json"), _named_weights(path)
    weights = path.with_name(f"{path.stem}-{said['done']}.safetensors")
    _write(path, weights, {**said, "weights": weights.name}, tensors)
    if before and before != weights.name:
        described.with_name(before).unlink(missing_ok=True)


def load_state(path: Path) -> tuple[dict[str, object], Tensors]:
    """What `save_state` wrote; ValueError names the file that is damaged."""
    described = path.with_suffix(".json")
    try:
        said = json.loads(described.read_text())
        weights, digest = described.with_name(Path(said["weights"]).name), said.pop("sha256")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{described} does not describe what is saved there: {error}") from None
    if not weights.is_file():
        raise FileNotFoundError(f"{described} speaks of {weights.name}, which is missing")
    return said, _read(weights, digest, described, said)


def clear_state(path: Path) -> None:
    """Remove what `save_state` wrote, and nothing else."""
    for file in (path.with_suffix(".json"), *path.parent.glob(f"{path.name}-*.safetensors*")):
        file.unlink(missing_ok=True)


def _named_weights(path: Path) -> str | None:
    try:
        return Path(json.loads(path.with_suffix(".json").read_text())["weights"]).name
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, weights: Path, said: Mapping[str, object], tensors: Tensors) -> None:
    raw = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(weights, raw)
    write_json(path.with_suffix(".json"), {**said, "sha256": _digest(raw, said)})


def write_json(path: Path, said: Mapping[str, object]) -> None:
    """Write plain values as JSON in one stroke."""
    _write_whole(path, (json.dumps(said, indent=1) + "\n").encode())


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file in one stroke: a kill at any moment leaves the new one, the one before, or none."""
    unready = path.with_name(f"{path.name}.part")
    unready.write_bytes(content)
    unready.replace(path)


def _digest(weights: bytes, said: Mapping[str, object]) -> str:
    """Of the weights and of what is said of them."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode() + weights).hexdigest()


def _read(weights: Path, digest: str, described: Path, said: Mapping[str, object]) -> Tensors:
    raw = weights.read_bytes()
    if _digest(raw, said) != digest:
        raise ValueError(
            f"{weights} is not the file that {described} describes, or one was edited: the sha256 differs; remove both "
            "to train anew"
        )
    try:
        return load(raw)
    except SafetensorError as error:
        raise ValueError(f"{weights} cannot be read: {error}") from None


def _check_types(record: Record) -> None:
    given = (record.snr_db, record.sjr_db, *record.arguments.values())
    if record.kind == "codec" and given[:2] == (None, None):
        return  # not of a game
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        raise ValueError("its numbers are not numbers")
