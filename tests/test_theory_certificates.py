"""The best chord: what linear programming gives, at a price that is the dual's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from jscc_sim.theory.certificates import best_chord, worst_payoff

SAMPLES = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=12)


class TestTheBestChord:
    @given(SAMPLES, st.floats(0.1, 3))
    def test_is_the_best_law_and_its_price_the_best_price(self, samples, budget):
        squares, harms = np.array([(0.0, 0.2), *samples]).T
        chord = best_chord(squares, harms, budget)
        law = optimize.linprog(-harms, squares[None], [budget], np.ones((1, harms.size)), [1])
        shares = np.array([1 - chord.share, chord.share])
        pair = [chord.first, chord.second]
        assert chord.value == pytest.approx(-law.fun, abs=1e-9)
        assert shares @ harms[pair] == pytest.approx(chord.value, abs=1e-9)
        assert shares @ squares[pair] <= budget * (1 + 1e-12)
        assert chord.price * budget + (harms - chord.price * squares).max() == pytest.approx(chord.value, abs=1e-9)

    def test_is_one_sample_where_none_beyond_gains(self):
        assert best_chord([0, 1, 4], [0.0, 0.5, 0.5], 2.0) == (1, 1, 0.0, 0.5, 0.0)
        assert best_chord([0, 1], [0.0, 0.5], 2.0) == (1, 1, 0.0, 0.5, 0.0)

    def test_keeps_the_share_of_rare_samples(self):
        chord = best_chord([0, 1e12], [0.0, 1.0], 1e-3)
        assert chord.share == pytest.approx(1e-15, rel=1e-12)
        assert chord.value == worst_payoff([0, 1e12], [0.0, 1.0], 1e-3) == pytest.approx(1e-15)

    @pytest.mark.filterwarnings("error")
    def test_is_finite_over_denormal_powers(self):
        chord = best_chord([0, 1e-320], [0.0, 1.0], 1e-321)
        assert chord.value == chord.share == pytest.approx(0.1, rel=0.01)
        assert chord.price == best_chord([0, 1e-320], [0.0, 1.0], 0.0).price == np.finfo(float).max

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("payoffs", [[0, np.nan, 1], [0, 1, np.inf], [-np.inf, 0, 1], [-1e308, 0, 1e308]])
    def test_needs_finite_payoffs(self, payoffs):
        with pytest.raises(ValueError, match="payoffs must be finite"):
            best_chord([0, 1, 4], payoffs, 2.5)

    def test_needs_a_sample_within_the_budget(self):
        with pytest.raises(ValueError, match=r"jam_powers must reach down to jam_power, got 2.0 at least for 1"):
            best_chord([2, 3], [1, 1], 1)
