"""Laws of the saddle values, of jammers who know something, and of the table of curves."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jscc_sim.theory import CURVES
from jscc_sim.theory.informed import (
    deterministic_maximin,
    deterministic_minimax,
    exposed_payoff,
    tap_gain,
    tap_payoff,
)
from jscc_sim.theory.saddle import coloured_payoff, complex_payoff, scalar_payoff, transmit_powers, water_level

POWERS = st.floats(0.01, 100)


class TestSaddle:
    def test_is_vectorised(self):
        assert scalar_payoff(1, 1, 1, np.array([0.1, 1])).shape == (2,)

    @given(st.lists(POWERS, min_size=1, max_size=8), POWERS)
    def test_the_water_holds_the_jam_power(self, noise, jam):
        level = water_level(noise, jam)
        assert np.maximum(level - np.array(noise), 0).sum() == pytest.approx(jam, rel=1e-9)

    @given(st.lists(st.tuples(POWERS, POWERS), min_size=1, max_size=8), POWERS)
    def test_powers_add_up_and_meet_the_kkt_conditions(self, pairs, total):
        spectrum, noise = np.array(pairs).T
        powers = transmit_powers(spectrum, noise, total)
        assert (powers >= 0).all()
        assert powers.sum() == pytest.approx(total, rel=1e-9)
        slope = spectrum * noise / (noise + powers) ** 2  # minus the derivative of the distortion
        active = powers > 0
        assert np.allclose(slope[active], slope[active][0])
        assert (slope[~active] <= slope[active].min() * (1 + 1e-9)).all()

    @given(POWERS, POWERS, POWERS)
    def test_one_component_is_the_scalar_game(self, power, jam, noise):
        assert coloured_payoff([1.0], [noise], power, jam) == pytest.approx(float(scalar_payoff(1, power, jam, noise)))

    @given(POWERS, POWERS, POWERS, POWERS)
    def test_a_complex_symbol_is_two_real_ones(self, variance, power, jam, noise):
        assert complex_payoff(variance, power, jam, noise) == pytest.approx(
            float(scalar_payoff(variance, power, jam, noise)), rel=1e-12
        )

    def test_degenerate_powers(self):
        assert scalar_payoff(2, [0, 0, 1], 0, [0, 1, 0]) == pytest.approx([2, 2, 0])

    @pytest.mark.parametrize("wrong", [-1, np.nan, np.inf])
    def test_impossible_powers(self, wrong):
        with pytest.raises(ValueError, match=f"jam_power must be finite and at least 0, got {float(wrong)}"):
            scalar_payoff(1, 1, [1, wrong], 1)
        with pytest.raises(ValueError, match="noise_powers"):
            water_level([1, wrong], 1)


class TestInformed:
    @given(POWERS, POWERS, POWERS, st.floats(0, 1e4))
    def test_knowledge_helps_the_jammer(self, power, jam, noise, tap_noise):
        oblivious = scalar_payoff(1, power, jam, noise)
        tapped = tap_payoff(1, power, jam, noise, tap_noise)
        assert oblivious * (1 - 1e-12) <= tapped <= tap_payoff(1, power, jam, noise) * (1 + 1e-12)
        assert tap_payoff(1, power, jam, noise, np.inf) == pytest.approx(float(oblivious))
        assert tapped <= 1
        assert deterministic_maximin(1, power, jam, noise) == oblivious
        assert exposed_payoff(power, jam, noise) >= deterministic_minimax(1, power, jam, noise) * (1 - 1e-12)

    @given(POWERS, POWERS, POWERS)
    def test_the_three_regions_of_the_exact_tap(self, power, jam, noise):
        if jam >= power:
            expected = 1.0
        elif (jam * power) ** 0.5 <= jam + noise:
            expected = noise / (noise + (power**0.5 - jam**0.5) ** 2)
        else:
            expected = (jam + noise) / power
        assert deterministic_minimax(1, power, jam, noise) == pytest.approx(expected, rel=1e-9)

    @given(POWERS, POWERS, POWERS)
    def test_the_best_linear_receiver_against_the_worst_aligned_jammer(self, power, jam, noise):
        gains = np.linspace(0, 1 / power**0.5, 20001)
        errors = (np.abs(1 - gains * power**0.5) + gains * jam**0.5) ** 2 + gains**2 * noise
        assert deterministic_minimax(1, power, jam, noise) == pytest.approx(errors.min(), rel=1e-6)

    @given(POWERS, POWERS, POWERS, st.floats(0, 100), st.floats(0, 1))
    def test_no_other_tap_gain_is_worse_for_the_codec(self, power, jam, noise, tap_noise, share):
        other = share * min(1, (jam / (power + tap_noise)) ** 0.5)
        left = jam + noise - other**2 * power
        assert tap_payoff(1, power, jam, noise, tap_noise) >= left / (left + (1 - other) ** 2 * power) * (1 - 1e-9)

    def test_when_all_is_cancelled(self):
        assert tap_gain([1, 0, 1], [1, 1, 2], 0.1) == pytest.approx([1, 1, 1])
        assert tap_payoff(3, [1, 0, 1, 1], [1, 0, 4, 0], [0, 0, 1, 0]) == pytest.approx([3, 3, 3, 0])
        assert exposed_payoff([0, 0], [0, 1], [0, 1]) == pytest.approx([1, 1])

    def test_impossible_tap(self):
        with pytest.raises(ValueError, match="tap_noise must be at least 0, got nan"):
            tap_payoff(1, 1, 1, 1, np.nan)


@pytest.mark.parametrize(("name", "curve"), CURVES.items(), ids=CURVES)
class TestCurves:
    def test_is_named_after_its_function_and_says_what_it_is(self, name, curve):
        assert curve.__name__ == name
        assert ">>>" in inspect.getdoc(curve)

    def test_takes_plain_numbers_by_name_and_gives_one(self, name, curve):
        plain = {
            "n": 8.0,
            "k": 4.0,
            "times": 3.0,
            "batch": 64.0,
            "flips": 1.0,
            "bits": 2.0,
            "entropy": 1.0,
            "order": 16.0,
        }
        parameters = inspect.signature(curve).parameters
        found = curve(**{key: plain.get(key, 0.25) for key in parameters})
        assert np.ndim(found) == 0
        assert np.isfinite(float(found))


def test_every_public_function_of_numbers_is_a_curve():
    from jscc_sim.theory import (
        adversarial_rates,
        antipodal_brackets,
        bandwidth,
        binary_limits,
        code_brackets,
        coding,
        deviations,
        fading,
        finite_blocklength,
        informed,
        limits,
        matched,
        modulation,
        normalisation,
        saddle,
        worst_noise,
    )

    modules = [
        adversarial_rates,
        antipodal_brackets,
        bandwidth,
        binary_limits,
        code_brackets,
        coding,
        deviations,
        fading,
        finite_blocklength,
        informed,
        limits,
    ]
    of_lists = {"coloured_payoff", "water_level", "transmit_powers", "vector_capacity", "vector_opta", "causal_corner"}
    of_lists |= {"gaussian_distortion", "qam_terms"}
    for module in [*modules, matched, modulation, normalisation, saddle, worst_noise]:
        own = {
            name for name, one in vars(module).items() if inspect.isfunction(one) and one.__module__ == module.__name__
        }
        assert {name for name in own if not name.startswith("_")} - of_lists <= set(CURVES)
