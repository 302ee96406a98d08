"""A number beside what it is: a bound that is proved, or an estimate that a search may have missed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """``value`` in units of J*, whether it is ``proved``, and ``how`` it was come by, with its limits.

    ``worst`` is the size |z| per symbol of the jammer's sample that it rests on, where there is one; ``error`` the
    half-width of the 95 % interval of a value that was measured on drawn words, where it was kept: that it may be the
    best of several is not in it.
    """

    value: float
    proved: bool
    how: str
    worst: float | None = None
    error: float | None = None

    def __str__(self) -> str:
        within = "" if self.error is None else f" ±{self.error:.1g}"
        return f"{self.value:.5f}{within}  {'proved' if self.proved else 'found'}: {self.how}"
