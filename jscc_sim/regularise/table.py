"""The results of studies as a table: a row per method, mean ± standard deviation over its seeds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jscc_sim.regularise.methods import Method

# Heading, name in a result, and how many digits of the mean are shown.
COLUMNS = (
    ("MSE/value", "mse", 4),
    ("FD", "fd", 4),
    ("FD fitted", "fd_fitted", 4),
    ("FD reconstructed", "fd_reconstructed", 4),
    ("KS", "ks", 3),
    ("KS, training images", "ks_train", 3),
    ("HZ", "hz", 4),
    ("energy, whitened", "energy_whitened", 3),
    ("DPC", "dpc", 3),
    ("s/epoch", "seconds_per_epoch", 3),
)
OF_A_PRIOR = (("KS to the prior", "ks_prior", 3), ("KS to the prior, training images", "ks_prior_train", 3))
GAUSSIAN = "N(0, I)"
MOST_DECIMALS = 5


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """A row per method in the order of the results, and a last one for a Gaussian sample of as many latents."""
    methods = dict.fromkeys(str(result["method"]) for result in results)
    columns = [*COLUMNS, *(OF_A_PRIOR if "ks_prior" in results[0] else ())]
    rows = [["method", *(heading for heading, _, _ in columns)]]
    for method in methods:
        mine = [result for result in results if result["method"] == method]
        rows.append([method, *(_cell([float(one[name]) for one in mine], digits) for _, name, digits in columns)])
    nulls = [results[0].get(f"{name}_null") for _, name, _ in columns]
    last = GAUSSIAN if results[0].get("prior", "gaussian") == "gaussian" else "the prior"
    rows.append([last, *("–" if null is None else _cell([null], 3) for null in nulls)])
    return "\n".join([*_aligned(rows), "", *_legend(results)])


def by_weight(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[float, list[tuple[float, float]]]]:
    """``(mse, fd)`` of each seed, by method and by the weight of its penalty."""
    found: dict[str, dict[float, list[tuple[float, float]]]] = {}
    for result in results:
        given = Method.parse(result["method"])
        chosen = ("weight", "auto") in given.options  # by the jammer itself, which is another method
        method = str(given if chosen else given.without("weight"))
        found.setdefault(method, {}).setdefault(result["weight"], []).append((result["mse"], result["fd"]))
    return found


def _cell(values: Sequence[float], digits: int) -> str:
    """Mean ± spread, with so many digits of the mean; of a single value no spread is known."""
    mean = float(np.mean(values))
    if not math.isfinite(mean):
        return str(mean)
    first = math.floor(math.log10(abs(mean))) if mean else 0
    decimals = min(max(0, digits - 1 - first), MOST_DECIMALS)
    spread = f" ± {np.std(values, ddof=1):.{decimals}f}" if len(values) > 1 else ""
    return f"{mean:.{decimals}f}{spread}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _legend(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the columns are, as far as the results do not say."""
    first = results[0]
    seeds = len({result["seed"] for result in results})
    others = ("_fitted", "_reconstructed")
    given = first.get("prior", "gaussian")
    prior = GAUSSIAN if given == "gaussian" else f"the prior {given}"
    before = [] if given == "gaussian" else ["KS, HZ, energy and DPC are of latents before the prior's map."]
    frechet = next(name for name in first if name.startswith(("fd_", "fid_")) and not name.endswith(others))
    return [
        f"{first['data']}, {first['family']}, k={first['k']}, {first['epochs']} epochs, judged by {first['judged']} "
        f"{first['split']} images; mean ± standard deviation over {seeds} seed{'s' * (seeds > 1)}.",
        f"FD is {frechet}, of images decoded from {prior}, for mixture and rae from a mixture fitted to latents;",
        "FD fitted is of images decoded from the Gaussian of the training latents' mean and covariance, and FD",
        "reconstructed from the latents of training images, which match them perfectly: the rest is the decoder's.",
        "Latents of a VAE are drawn around its means, reconstructions are those of the means. KS is the largest of any",
        "latent, HZ Henze and Zirkler's statistic, energy the energy distance of whitened latents: small is Gaussian.",
        "DPC, the determinant of their correlation matrix, is 1 where no two are correlated.",
        *before,
    ]
