"""Exact values against the golden numbers, and laws that they obey."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jscc_sim.theory.coding import block_error, bpsk_error, repetition_error, uncoded_error
from jscc_sim.theory.saddle import coloured_payoff, scalar_payoff, transmit_powers, water_level

ENTRIES = json.loads((Path(__file__).parent / "golden.json").read_text())["entries"]
POWERS = st.floats(0.01, 100)
PROBABILITIES = st.floats(0, 0.5)


def golden(group: str) -> list[tuple[dict, float]]:
    found = [(entry["params"], entry["value"]) for entry in ENTRIES if entry["group"] == group]
    assert found
    return found


class TestSaddle:
    @pytest.mark.parametrize(("p", "value"), golden("scalar_saddle"))
    def test_scalar(self, p, value):
        assert scalar_payoff(p["sx2"], p["PT"], p["PA"], p["N"]) == pytest.approx(value, rel=1e-12)

    @pytest.mark.parametrize("group", ["vector_linear_value", "vector_linear_minmax"])
    def test_coloured(self, group):
        for p, value in golden(group):
            assert coloured_payoff(p["lam"], p["n"], p["PT_total"], p["PA_total"]) == pytest.approx(value, rel=1e-12)

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


class TestCoding:
    @pytest.mark.parametrize(("p", "value"), golden("bpsk_ber_db"))
    def test_bpsk(self, p, value):
        assert bpsk_error(2 * 10 ** (p["EbN0_dB"] / 10)) == pytest.approx(value, rel=1e-10)

    @pytest.mark.parametrize(("p", "value"), golden("repetition_bsc"))
    def test_repetition(self, p, value):
        assert repetition_error(p["n"], flip=p["p"]) == pytest.approx(value, rel=1e-10)
        budget = int(p["p"] * p["n"])
        assert repetition_error(p["n"], flips=budget) == p["adversary_error"]

    def test_repetition_with_erasures_and_a_flip(self):
        assert repetition_error(3, erase=0.1, flips=1) == pytest.approx(0.149)
        assert repetition_error(3, erase=0.1, flips=1, informed=False) == pytest.approx(0.0905)

    @given(PROBABILITIES, st.integers(0, 5), st.booleans())
    def test_uncoded_is_repetition_one(self, p, flips, informed):
        for nature in ({"flip": p}, {"erase": p}):
            expected = repetition_error(1, **nature, flips=flips, informed=informed)
            assert uncoded_error(1, **nature, flips=flips, informed=informed) == pytest.approx(expected, abs=1e-12)

    @given(PROBABILITIES, st.integers(1, 7), st.integers(0, 7))
    def test_information_and_budget_only_help_the_adversary(self, p, times, flips):
        for nature in ({"flip": p}, {"erase": p}):
            blind = repetition_error(times, **nature, flips=flips, informed=False)
            informed = repetition_error(times, **nature, flips=flips)
            assert repetition_error(times, **nature) - 1e-12 <= blind <= informed + 1e-12
            assert informed <= repetition_error(times, **nature, flips=flips + 1) + 1e-12

    @given(st.integers(1, 40), st.integers(0, 40))
    def test_a_budget_of_uncoded_bits_costs_exactly_its_share(self, k, flips):
        assert uncoded_error(k, flips=flips) == pytest.approx(min(flips, k) / k)

    def test_blocks(self):
        assert block_error(0.1, 3) == pytest.approx(1 - 0.9**3)
        assert block_error(1.0, 3) == 1.0
