"""Trained parts on disk: weights as safetensors, the rest as JSON beside them, never pickle."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

Kind = Literal["policy", "codec"]
SUFFIXES = (".json", ".safetensors")


@dataclass(frozen=True)
class Record:
    """What a checkpoint says beside its tensors: how to build the part again, and the game it was trained in."""

    kind: Kind
    name: str
    arguments: dict[str, int]
    snr_db: float
    sjr_db: float
    seed: int
    steps: int


def save_part(path: Path, record: Record, tensors: dict[str, Tensor]) -> None:
    """Write ``path.safetensors`` and ``path.json``, the latter with a digest of the former."""
    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    text = json.dumps(asdict(record) | {"sha256": hashlib.sha256(weights).hexdigest()}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".safetensors").write_bytes(weights)
    path.with_suffix(".json").write_text(text + "\n")


def _check_types(record: Record) -> None:
    numbers = (record.snr_db, record.sjr_db)
    sizes = record.arguments.values()
    if not all(isinstance(value, int | float) for value in numbers) or not all(type(size) is int for size in sizes):
        raise ValueError("its numbers are not numbers")


def load_part(path: Path, kind: Kind) -> tuple[Record, dict[str, Tensor]]:
    """The part saved at ``path`` (either of its two files, or the folder that holds it under the name of its kind)."""
    stem = path / kind if path.is_dir() else path
    if stem is path and path.suffix not in SUFFIXES:
        raise FileNotFoundError(f"no {kind} at {path}: name its folder or one of its files, {' or '.join(SUFFIXES)}")
    described, weights = (stem.with_suffix(suffix) for suffix in SUFFIXES)
    for file in (described, weights):
        if not file.is_file():
            raise FileNotFoundError(f"no {kind} at {path}: {file} is missing")
    try:
        fields = json.loads(described.read_text())
        digest = fields.pop("sha256")
        record = Record(**fields)
        _check_types(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{described} does not describe a {kind}: {error}") from None
    if record.kind != kind:
        raise ValueError(f"{described} describes a {record.kind}, not a {kind}")
    raw = weights.read_bytes()
    if hashlib.sha256(raw).hexdigest() != digest:
        raise ValueError(f"{weights} is not the file that {described} describes: its sha256 differs")
    try:
        return record, load(raw)
    except SafetensorError as error:
        raise ValueError(f"{weights} cannot be read: {error}") from None
