"""Exact code errors against brute force over every pattern of nature and adversary, and laws of small codes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jscc_sim.theory.coding import (
    block_error,
    bpsk_error,
    code_error,
    linear_codewords,
    repetition_budget_error,
    repetition_error,
    required_ebn0,
    uncoded_error,
)

PROBABILITIES = st.floats(0, 0.5)
HAMMING = linear_codewords(np.hstack([np.eye(4), [[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]]))
BCH = linear_codewords([[0b111010001 << shift >> place & 1 for place in range(14, -1, -1)] for shift in range(7)])
CODES = [
    linear_codewords([[1, 1, 1]]),
    linear_codewords([[1, 1, 1, 1]]),
    linear_codewords(np.eye(3)),
    linear_codewords([[1, 0, 1], [0, 1, 1]]),
    linear_codewords([[1, 0, 0, 1, 1], [0, 1, 1, 0, 1]]),
]
NATURES = [{}, {"flip": 0.2}, {"erase": 0.3}, {"flip": 0.7}]


def patterns(n, flips, erasures, allowed):
    """Factors 1, −1, 0 per symbol, in the order of the law: fewer flips first, then places, then erasures."""
    free = [i for i in range(n) if allowed[i]]
    for size in range(min(flips, len(free)) + 1):
        for turned in itertools.combinations(free, size):
            rest = [i for i in free if i not in turned]
            for gone_size in range(min(erasures, len(rest)) + 1):
                for gone in itertools.combinations(rest, gone_size):
                    yield np.array([-1 if i in turned else 0 if i in gone else 1 for i in range(n)])


def judge(words, y):
    """What the adversary looks at, and the word and bit errors of a receiver that hears ``y``."""
    scores = (1 - 2 * words) @ y
    leads = scores[1:] - scores[0]
    best = np.flatnonzero(scores == scores.max())
    k = int(np.log2(len(words)))
    return (
        (leads.max(), (leads == leads.max()).sum()),
        np.mean(best != 0),
        np.mean([int(i).bit_count() / k for i in best]),
    )


def brute_force(words, flips, erasures, informed, flip=0.0, erase=0.0):
    n = words.shape[1]
    states = (1, 0) if erase else (1, -1)
    chance = erase or flip
    blind = max(patterns(n, flips, erasures, np.ones(n)), key=lambda factor: judge(words, factor)[0])
    word, bits = 0.0, [0.0, 0.0]
    for nature in itertools.product(states, repeat=n):
        weight = np.prod([1 - chance if state == 1 else chance for state in nature])
        attacks = patterns(n, flips, erasures, np.array(nature)) if informed else [blind]
        found = [judge(words, np.array(nature) * factor) for factor in attacks]
        worst = max(harm for harm, _, _ in found)
        equal = [(wrong, cost) for harm, wrong, cost in found if harm == worst]
        assert len({wrong for wrong, _ in equal}) == 1
        word += weight * equal[0][0]
        costs = [cost for _, cost in equal]
        bits = [bits[0] + weight * min(costs), bits[1] + weight * max(costs)]
    return word, bits[0] if np.isclose(*bits, rtol=1e-9, atol=0) else np.nan


class TestCodeError:
    @pytest.mark.parametrize("nature", NATURES, ids=str)
    @pytest.mark.parametrize("words", CODES, ids=lambda words: f"{len(words)}x{words.shape[1]}")
    def test_brute_force(self, words, nature):
        for flips, erasures, informed in itertools.product((0, 1, 2), (0, 1), (True, False)):
            found = code_error(words, **nature, flips=flips, erasures=erasures, informed=informed)
            assert found == pytest.approx(
                brute_force(words, flips, erasures, informed, **nature), rel=1e-9, nan_ok=True
            )

    @given(PROBABILITIES, st.integers(1, 7), st.integers(0, 7), st.booleans())
    @settings(max_examples=40)
    def test_repetition_is_one_of_them(self, p, times, flips, informed):
        words = linear_codewords(np.ones((1, times)))
        for nature in ({"flip": p}, {"erase": p}):
            expected = repetition_error(times, **nature, flips=flips, informed=informed)
            found = code_error(words, **nature, flips=flips, informed=informed)
            assert found == pytest.approx((expected, expected), abs=1e-12)

    @given(PROBABILITIES, st.integers(1, 6))
    @settings(max_examples=30)
    def test_uncoded_is_one_of_them(self, p, k):
        for nature in ({"flip": p}, {"erase": p}):
            bit = uncoded_error(k, **nature)
            assert code_error(linear_codewords(np.eye(k)), **nature) == pytest.approx((block_error(bit, k), bit))

    @pytest.mark.parametrize(("words", "distance"), [(HAMMING, 3), (BCH, 5), (CODES[1], 4), (CODES[4], 3)])
    def test_less_than_the_distance_never_errs(self, words, distance):
        assert words[1:].sum(1).min() == distance
        for flips, erasures in itertools.product(range(4), range(4)):
            if 2 * flips + erasures <= distance:
                error = code_error(words, flips=flips, erasures=erasures)
                assert (error.word == 0) == (2 * flips + erasures < distance)
                assert not error.word or error.word >= 0.5

    @given(st.floats(0, 0.5), st.integers(0, 2), st.integers(0, 2))
    @settings(max_examples=25)
    def test_information_and_budget_only_help(self, p, flips, erasures):
        for nature in ({"flip": p}, {"erase": p}):
            word = code_error(HAMMING, **nature, flips=flips, erasures=erasures).word
            assert code_error(HAMMING, **nature, flips=flips, erasures=erasures, informed=False).word <= word + 1e-12
            assert word <= code_error(HAMMING, **nature, flips=flips + 1, erasures=erasures).word + 1e-12
            assert word <= code_error(HAMMING, **nature, flips=flips, erasures=erasures + 1).word + 1e-12

    def test_hamming_is_perfect(self):
        p = 0.07
        assert code_error(HAMMING, flip=p).word == pytest.approx(1 - (1 - p) ** 7 - 7 * p * (1 - p) ** 6, rel=1e-12)

    def test_rare_errors_keep_their_digits(self):
        # Five errors' worth of patterns of weight three: A_5 of the code decides at small p.
        p, lightest = 1e-6, (BCH.sum(1) == 5).sum()
        assert code_error(BCH, erase=p).word == pytest.approx(0.5 * lightest * p**5, rel=1e-4)

    def test_messages_decide_the_bits_alone(self):
        order = np.array([0, 2, 1, 3])
        words = CODES[4]
        told = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        plain = code_error(words, flip=0.1)
        assert code_error(words[order], flip=0.1, messages=told[order]) == pytest.approx(plain, rel=1e-12)

    @pytest.mark.parametrize(
        ("words", "options", "says"),
        [
            ([[0, 0], [1, 0], [0, 1]], {}, "2\\^k"),
            ([[0, 1], [1, 0]], {}, "closed"),
            ([[0, 2], [1, 0]], {}, "0 and 1"),
            ([[0, 0], [1, 1]], {"flip": 0.1, "erase": 0.1}, "not both"),
            ([[0, 0], [1, 1]], {"flip": 1.1}, "1.1"),
            ([[0, 0], [1, 1]], {"flips": -1}, "-1"),
            (np.stack([np.zeros(30), np.ones(30)]), {}, "30"),
        ],
    )
    def test_impossible_codes_are_refused(self, words, options, says):
        with pytest.raises(ValueError, match=says):
            code_error(words, **options)


class TestBits:
    @given(st.floats(1e-12, 0.5))
    def test_ebn0_inverts_the_error(self, error):
        assert bpsk_error(2 * required_ebn0(error)) == pytest.approx(error, rel=1e-9)

    @settings(max_examples=40)
    @given(st.integers(0, 6).map(lambda half: 2 * half + 1), st.floats(0, 1))
    def test_the_budget_is_a_step(self, times, fraction):
        flipped = int(fraction * times + 1e-9)
        assert repetition_budget_error(times, fraction) == float(flipped >= (times + 1) / 2)

    @pytest.mark.parametrize(
        "call",
        [lambda: bpsk_error(-1), lambda: bpsk_error(np.nan), lambda: repetition_error(0), lambda: block_error(2, 1)],
    )
    def test_impossible_parameters(self, call):
        with pytest.raises(ValueError, match="must be"):
            call()

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

    def test_laws_that_add_up_to_one_by_rounding(self):
        assert uncoded_error(3, flip=0.9, erase=0.1) == pytest.approx(0.95)
        assert repetition_error(1, flip=0.9, erase=0.1) == pytest.approx(0.95)
