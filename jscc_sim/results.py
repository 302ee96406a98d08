"""What a command came to, as JSON in the folder that it keeps: read again only if whole, and of the same thing."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any


def read_result(path: Path, needed: Collection[str], what: str) -> dict[str, Any]:
    """The result of ``what`` at a path; ValueError if it is damaged or lacks a name that is ``needed``."""
    try:
        known: dict[str, Any] = json.loads(path.read_text())
        missing = sorted(needed - known.keys())
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} does not describe a {what} ({error}): remove it to begin anew") from None
    if missing:
        raise ValueError(f"{path} is damaged, it lacks {', '.join(missing)}: remove it to begin anew")
    return known


def recalled(path: Path, needed: Collection[str], asked: Mapping[str, Any], what: str) -> dict[str, Any] | None:
    """The result at a path, if one is there; FileExistsError if it is not of what is asked but of another ``what``."""
    if not path.exists():
        return None
    known = read_result(path, needed, what)
    if differing := [name for name, value in asked.items() if known.get(name) != value]:
        said = ", ".join(f"{name} {known.get(name)} where {asked[name]} is asked" for name in differing)
        raise FileExistsError(f"{path.parent} already holds another {what} ({said}): choose another folder")
    return known
