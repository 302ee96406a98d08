"""What users type: a known name, or the nearest suggestion; a number behind a colon."""

import difflib
from collections.abc import Iterable


def known(kind: str, name: str, names: Iterable[str]) -> None:
    """ValueError with the nearest suggestion unless ``name`` is one of ``names``."""
    if name not in names:
        near = difflib.get_close_matches(name, list(names), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names))}"
        raise ValueError(f"no {kind} {name!r}: {hint}")


def number(what: str, text: str) -> float:
    """The number behind the colon of ``what``, or a ValueError that names it."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{what} takes a number after the colon, got {text!r}") from None
