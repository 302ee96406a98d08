"""Every golden number, group by group, to the precision that its entry has."""

import json
from pathlib import Path

import numpy as np
import pytest

from jscc_sim.theory.adversarial_rates import (
    causal_corner,
    causal_erasure_capacity,
    causal_flip_capacity,
    mrrw,
    omniscient_erasure_lower,
    omniscient_erasure_upper,
    omniscient_flip_lower,
)
from jscc_sim.theory.bandwidth import known_subspace_payoff, shared_subspace_payoff
from jscc_sim.theory.binary_limits import bec_capacity, bsc_capacity, hamming_opta
from jscc_sim.theory.code_brackets import (
    bec_achievable_bits,
    bec_converse_bits,
    bsc_achievable_bits,
    bsc_converse_bits,
)
from jscc_sim.theory.coding import bpsk_error, repetition_budget_error, repetition_error, required_ebn0
from jscc_sim.theory.deviations import (
    laplace_payoff,
    offset_payoff,
    onoff_payoff,
    two_point_bound,
    two_point_payoff,
    uniform_bound,
    uniform_payoff,
)
from jscc_sim.theory.fading import rayleigh_bpsk_error, rayleigh_mse
from jscc_sim.theory.finite_blocklength import (
    dispersion_bec,
    dispersion_bsc,
    dispersion_real,
    excess_distortion,
    normal_rate_bec,
    normal_rate_bsc,
    normal_rate_complex,
    normal_rate_real,
    uncoded_excess_distortion,
)
from jscc_sim.theory.informed import deterministic_minimax, exposed_payoff, tap_gain, tap_payoff
from jscc_sim.theory.limits import (
    capacity_complex,
    capacity_real,
    deterministic_capacity,
    opta,
    vector_capacity,
    vector_opta,
)
from jscc_sim.theory.matched import matched_payoff
from jscc_sim.theory.normalisation import approximate_batch_bias, batch_bias, codeword_payoff
from jscc_sim.theory.saddle import coloured_payoff, scalar_payoff, transmit_powers, water_level
from jscc_sim.theory.worst_noise import worst_duty, worst_known_noise_error, worst_pulsed_error

ENTRIES = json.loads((Path(__file__).parent / "golden.json").read_text())["entries"]
PAYOFFS = {"two-point": two_point_payoff, "uniform": uniform_payoff, "laplace": laplace_payoff}
BOUNDS = {"two-point": two_point_bound, "uniform": uniform_bound}


def close(got, expected, rel=1e-10):
    assert got == pytest.approx(expected, rel=rel, abs=1e-15)


def powers(p):
    return p["PT"], p["PA"], p["N"]


def coloured(p, value):
    filled = np.maximum(p["n"], water_level(p["n"], p["PA_total"]))
    spent = transmit_powers(p["lam"], filled, p["PT_total"])
    close(coloured_payoff(p["lam"], p["n"], p["PT_total"], p["PA_total"]), value)
    if "theta" in p:
        close(filled.min(), p["theta"])
        close((np.array(p["lam"]) * filled / (filled + spent) ** 2)[spent > 0], p["mu"])


def against(law):
    def check(p, value):
        close(PAYOFFS[law](*powers(p)), value, 1e-9)
        close(PAYOFFS[law](*powers(p)) / scalar_payoff(1, *powers(p)), p["ratio_to_Jstar"], 1e-9)

    return check


def entropy_power(p, value):
    close(BOUNDS[p["law"]](*powers(p)), value, 1e-9)
    close(BOUNDS[p["law"]](*powers(p)) / scalar_payoff(1, *powers(p)), p["ratio_to_Jstar"], 1e-9)


def matched_numerically(source, noise, reach):
    """The value, and the exact error of the MMSE receiver by quadrature over u of the densities of X and W."""

    def check(p, value):
        close(matched_payoff(p["beta"]), value)
        step = min(0.01, reach / 2000)
        x = np.arange(-reach, reach, step) + step / 2
        joint = source(x), noise(x, p["beta"])
        density = np.convolve(*joint) * step
        mean = np.convolve(x * joint[0], joint[1]) * step
        seen = density > 0
        assert 1 - (mean[seen] ** 2 / density[seen]).sum() * step == pytest.approx(value, abs=2e-3)

    return check


def laplace(x):
    return np.exp(-np.sqrt(2) * np.abs(x)) / np.sqrt(2)


def laplace_sum(x, beta):
    size = np.sqrt(2) * np.abs(x)
    return laplace(x) * (1 if beta == 1 else (1 + size) / 2)  # Laplace, or the sum of two of them


def uniform(x, beta=1):
    return (np.abs(x) <= np.sqrt(3)) / np.sqrt(12)


def exponential(x, beta=1):
    return np.where(x > -1, np.exp(-1 - x), 0.0)


def capacity(p, value):
    close(capacity_real(*powers(p)), value)
    close(deterministic_capacity(*powers(p)), p["avc_deterministic"])


def causal(p, value):
    corner, slope = causal_corner()
    close(causal_flip_capacity(p["p"]), value)
    close(slope, p["K0"], 1e-12)
    # Its minimum is flat, so the golden argument has half the digits of the golden value.
    assert corner == pytest.approx(p["q0"], abs=1e-8)


def erasing(p, value):
    close(bec_capacity(p["p"]), value)
    close(causal_erasure_capacity(p["p"]), p["causal"])
    close(omniscient_erasure_lower(p["p"]), p["gv"])
    close(omniscient_erasure_upper(p["p"]), p["mrrw"])


def repetition(p, value):
    close(repetition_error(p["n"], flip=p["p"]), value)
    assert repetition_error(p["n"], flips=int(p["p"] * p["n"])) == p["adversary_error"]
    assert repetition_budget_error(p["n"], p["p"]) == p["adversary_error"]


def bec_bracket(p, value):
    channel = p["n"], p["delta"], p["eps"]
    assert (bec_achievable_bits(*channel), bec_converse_bits(*channel)) == (p["k_achievable"], value)
    close(p["n"] * normal_rate_bec(p["n"], p["eps"], p["delta"]), p["normal_approx_nR"])


def bsc_bracket(p, value):
    channel = p["n"], p["p"], p["eps"]
    close(bsc_achievable_bits(*channel), p["log2M_rcu"])
    close(bsc_converse_bits(*channel), value)
    close(p["n"] * normal_rate_bsc(p["n"], p["eps"], p["p"]), p["normal_approx_nR"])


def bpsk_target(p, value):
    close(required_ebn0(value), p["EbN0"])
    close(bpsk_error(2 * p["EbN0"]), value)
    close(10 * np.log10(p["EbN0"]), p["EbN0_dB"])


def pulsed(p, value):
    close(worst_pulsed_error(2 * 5, 1), value / 5)
    close(worst_duty(2 * 5, 1) * 5, p["g0"], 1e-7)
    close(2 * p["g0"], p["t_star"])


def batch(p, value):
    close(batch_bias(p["PT"], p["W"], p["B"], p["k"]), value)
    close(approximate_batch_bias(p["PT"], p["W"], p["B"], p["k"]), p["approx"])


def tap(p, value):
    close(tap_gain(*powers(p), p["m"]), p["b"])
    close(tap_payoff(p["sx2"], *powers(p), p["m"]), value)


def worst_known(p, value):
    close(worst_known_noise_error(p["s2"]), value)
    close(bpsk_error(1 / p["s2"]), p["gaussian"])


CHECKS = {
    "scalar_saddle": lambda p, v: close(scalar_payoff(p["sx2"], *powers(p)), v),
    "correlated_jammer_value": lambda p, v: close(tap_payoff(p["sx2"], *powers(p)), v),
    "correlated_jammer_minmax": lambda p, v: close(deterministic_minimax(p["sx2"], *powers(p)), v),
    "fixed_saddle_codec_vs_source_aware_jammer": lambda p, v: close(exposed_payoff(*powers(p)), v),
    "matched_laplace": matched_numerically(laplace, laplace_sum, 25),
    "matched_uniform": matched_numerically(uniform, uniform, 3),
    "matched_exponential": matched_numerically(exponential, exponential, 20),
    "linear_encoder_mmse_receiver_vs_two-point": against("two-point"),
    "linear_encoder_mmse_receiver_vs_uniform": against("uniform"),
    "linear_encoder_mmse_receiver_vs_laplace": against("laplace"),
    "linear_kn_random_subspace": lambda p, v: close(shared_subspace_payoff(p["k"], p["n"], *powers(p)), v),
    "opta": lambda p, v: close(opta(p["k"], p["n"], *powers(p)), v),
    "linear_kn_fixed_subspace": lambda p, v: close(known_subspace_payoff(p["k"], p["n"], *powers(p)), v),
    "vector_linear_value": coloured,
    "vector_linear_minmax": coloured,
    "vector_capacity_double_waterfill": lambda p, v: close(vector_capacity(p["n"], p["PT_total"], p["PA_total"]), v),
    "vector_opta": lambda p, v: close(vector_opta(p["lam"], p["n"], p["PT_total"], p["PA_total"]), v),
    "capacity_real": capacity,
    "capacity_complex": lambda p, v: close(capacity_complex(*powers(p)), v),
    "bsc_capacity": lambda p, v: close(bsc_capacity(p["p"]), v),
    "omniscient_gv_lower": lambda p, v: close(omniscient_flip_lower(p["p"]), v),
    "omniscient_mrrw_upper": lambda p, v: close(mrrw(2 * p["p"]), v),
    "causal_bitflip_capacity": causal,
    "bec_adversary": erasing,
    "bsc_hamming_opta": lambda p, v: close(hamming_opta(p["p"], p["k"], p["n"]), v),
    "repetition_bsc": repetition,
    "dispersion_awgn_real": lambda p, v: close(dispersion_real(p["snr"]), v),
    "dispersion_bsc": lambda p, v: close(dispersion_bsc(p["p"]), v),
    "dispersion_bec": lambda p, v: close(dispersion_bec(p["p"]), v),
    "normal_approx_awgn_real_snr1": lambda p, v: close(normal_rate_real(p["n"], p["eps"], 1), v),
    "normal_approx_awgn_complex_snr1": lambda p, v: close(normal_rate_complex(p["n"], p["eps"], 1), v),
    "normal_approx_bsc_0.11": lambda p, v: close(normal_rate_bsc(p["n"], p["eps"], 0.11), v),
    "normal_approx_bec_0.5": lambda p, v: close(normal_rate_bec(p["n"], p["eps"], 0.5), v),
    "bec_exact_bracket": bec_bracket,
    "bsc_exact_bracket": bsc_bracket,
    "kostina_verdu_gms_awgn": lambda p, v: close(excess_distortion(p["k"], p["n"], p["snr"], p["eps"]), v),
    "uncoded_excess_distortion_exact": lambda p, v: close(uncoded_excess_distortion(p["k"], p["snr"], p["eps"]), v),
    "bpsk_ber": bpsk_target,
    "bpsk_ber_db": lambda p, v: close(bpsk_error(2 * 10 ** (p["EbN0_dB"] / 10)), v),
    "pulsed_jammer_bpsk": pulsed,
    "worst_noise_bpsk_ml": worst_known,
    "per_codeword_norm_linear": lambda p, v: close(codeword_payoff(p["k"], p["PT"], p["W"]), v),
    "batch_normalisation_relative_bias": batch,
    "rayleigh_uncoded_mse": lambda p, v: close(rayleigh_mse(p["snr"]), v),
    "rayleigh_bpsk": lambda p, v: close(rayleigh_bpsk_error(2 * p["snr"]), v),  # golden snr is Eb/N0
    "constant_offset_jammer": lambda p, v: close(offset_payoff(*powers(p), p["m2"]), v),
    "onoff_jammer_genie": lambda p, v: close(onoff_payoff(*powers(p), p["rho"]), v),
    "noisy_tap_value": tap,
    "entropy_power_lower_bound": entropy_power,
}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["group"])
def test_golden(entry):
    CHECKS[entry["group"]](entry["params"], entry["value"])


def test_every_group_has_its_check():
    assert set(CHECKS) == {entry["group"] for entry in ENTRIES}
