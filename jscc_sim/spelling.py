"""What users type: a known name, or the nearest suggestion; a number behind a colon; a name with options."""

import ast
import difflib
import re
from collections.abc import Iterable
from fractions import Fraction

Value = float | int | bool | str
# So many names are all told.
FEW = 8
# Complex uses to a value.
MOST_RATIO = 4
# Text that needs no quotes, but for names of values.
BARE = re.compile(r"(?!(?:True|False|None)$)[A-Za-z][\w-]*")


def known(kind: str, name: str, names: Iterable[str]) -> None:
    """ValueError with the nearest suggestion unless ``name`` is one of ``names``."""
    if name not in names:
        near = difflib.get_close_matches(name, list(names), n=1)
        there = f"there are {', '.join(sorted(names))}"
        hint = there if not near else f"did you mean {near[0]!r}?" + f" {there}" * (len(list(names)) <= FEW)
        raise ValueError(f"no {kind} {name!r}: {hint}")


def number(what: str, text: str) -> float:
    """The number behind the colon of ``what``, or a ValueError that names it."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{what} takes a number after the colon, got {text!r}") from None


def bandwidth_ratio(text: str) -> Fraction:
    """Complex uses per value, as in ``1/6`` or ``0.25``; ValueError unless it is positive and no more than 4."""
    try:
        found = Fraction(text)
    except (ValueError, ZeroDivisionError):
        found = Fraction(0)
    if found <= 0:
        raise ValueError(f"a bandwidth ratio is a positive fraction such as 1/6, or a number, got {text!r}")
    if found > MOST_RATIO:
        raise ValueError(f"a bandwidth ratio must be at most {MOST_RATIO}, got {text}")
    return found


def called(kind: str, text: str, names: Iterable[str]) -> tuple[str, dict[str, Value]]:
    """The name, one of ``names``, and the options of ``name(option=value, …)``, whose bare words are text.

    >>> called("objective", "necst(gradient=score-function, samples=5)", ["necst"])
    ('necst', {'gradient': 'score-function', 'samples': 5})
    """
    name, bracket, rest = text.partition("(")
    name = name.strip()
    known(kind, name, names)
    if not bracket:
        return name, {}
    wrong = ValueError(f"{text!r} is no {kind}: write name or name(option=value,option=value)")
    source = f"f({rest}"
    try:
        call = ast.parse(source, mode="eval").body
    except SyntaxError:
        raise wrong from None
    if not isinstance(call, ast.Call) or call.args:
        raise wrong
    found: dict[str, Value] = {}
    for keyword in call.keywords:
        said = ast.get_source_segment(source, keyword.value) or ""
        try:
            value = said if BARE.fullmatch(said) else ast.literal_eval(keyword.value)
        except ValueError:
            raise wrong from None
        if keyword.arg is None or not isinstance(value, Value):
            raise wrong
        found[keyword.arg] = value
    return name, found
