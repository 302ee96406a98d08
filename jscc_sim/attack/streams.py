"""Seeds of an audit: those of the words that all rows are measured on, and apart from them those of choices."""

from jscc_sim.attack.effort import BLOCKS

# Between two streams; odd and large, so that those of near audits do not meet.
STRIDE = 1_000_003


def measuring(seed: int, block: int) -> int:
    """Of a block of the words that every row is measured on, and that nothing is chosen by."""
    return (seed + STRIDE * block) % 2**32


def choosing(seed: int, row: int) -> int:
    """Of all that a row is sought and chosen by; it does not depend on the other rows."""
    return (seed + STRIDE * (BLOCKS + row)) % 2**32
