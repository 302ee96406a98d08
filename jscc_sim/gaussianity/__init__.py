"""How far a sample is from N(0, I), each distance beside its value for a true Gaussian sample of the same size."""

from jscc_sim.gaussianity.classifier import c2st, density_ratio
from jscc_sim.gaussianity.latents import (
    LATENT,
    dpc,
    energy,
    energy_whitened,
    hz,
    latent_metrics,
    radial_chi2,
    whiten,
)
from jscc_sim.gaussianity.statistics import (
    DISTANCES,
    STATISTICS,
    covariance_error,
    covariance_max,
    covariance_min,
    distances,
    energy_distance,
    excess_kurtosis,
    ks,
    mean_offset,
    radial_ratio,
    sliced_ks,
    statistics,
)

__all__ = [
    "DISTANCES",
    "LATENT",
    "STATISTICS",
    "c2st",
    "covariance_error",
    "covariance_max",
    "covariance_min",
    "density_ratio",
    "distances",
    "dpc",
    "energy",
    "energy_distance",
    "energy_whitened",
    "excess_kurtosis",
    "hz",
    "ks",
    "latent_metrics",
    "mean_offset",
    "radial_chi2",
    "radial_ratio",
    "sliced_ks",
    "statistics",
    "whiten",
]
