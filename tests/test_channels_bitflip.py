"""The budgeted adversary on binary words: never over its budget, and as harmful as it claims to be."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from channels import (
    ATTACKS,
    AWGN,
    BEC,
    BSC,
    BitFlip,
    ErrorsAndErasures,
    NoisyFlips,
    exhaustive_attack,
    greedy_attack,
    random_attack,
    steepest_attack,
    tried_attack,
)
from channels.bitflip import MOST_PATTERNS, count_patterns
from jscc_sim.codecs import BlockCode, Convolutional
from jscc_sim.codecs.block import BCH_15_7, HAMMING_7_4
from jscc_sim.link import Link
from jscc_sim.sources import Bits

CODES = {"hamming": (BlockCode(HAMMING_7_4), 3), "bch": (BlockCode(BCH_15_7), 5)}
SOME = {
    "exhaustive": exhaustive_attack,
    "greedy": greedy_attack,
    "random": random_attack,
    "steepest": steepest_attack,
    "tried": tried_attack,
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(16)


def antipodal(*shape: int) -> Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def quadratic(n: int):
    """A harm that no first-order attack sees through."""
    mixed, line = torch.randn(n, n), torch.randn(n)
    return lambda y: ((y @ mixed) * y).sum(-1) + y @ line


def test_no_attack_is_forgotten():
    assert SOME == ATTACKS


class TestBudget:
    natures = st.one_of(
        st.floats(0, 1).map(BSC),
        st.floats(0, 1).map(BEC),
        st.builds(ErrorsAndErasures, st.floats(0, 1), st.floats(0, 1)),
    )

    @settings(max_examples=300)
    @given(
        natures,
        st.integers(1, 7),
        st.integers(0, 9),
        st.integers(0, 9),
        st.booleans(),
        st.sampled_from([*SOME]),
        st.data(),
    )
    def test_is_never_exceeded(self, nature, n, flips, erasures, informed, attack, data):
        torch.manual_seed(data.draw(st.integers(0, 2**32 - 1)))
        channel = BitFlip(nature, flips, erasures=erasures, informed=informed, attack=attack)
        if data.draw(st.booleans()):
            channel = channel.against(quadratic(n))
        x = antipodal(20, n)
        seed = data.draw(st.integers(0, 100))
        torch.manual_seed(seed)
        before = nature(x)  # the adversary comes second, so this is what it found
        torch.manual_seed(seed)
        after = channel(x)
        flipped, erased = (after * before < 0).sum(-1), ((after == 0) & (before != 0)).sum(-1)
        assert bool(((after == 0) | (after.abs() == 1)).all())
        assert (flipped <= flips).all()
        assert (erased <= erasures).all()
        assert (after[before == 0] == 0).all()
        assert ((after != before).sum(-1) <= flips + erasures).all()

    @pytest.mark.parametrize("attack", SOME)
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_not_even_by_a_harm_that_makes_no_sense(self, attack, value):
        x = antipodal(30, 6)
        y = BitFlip(BSC(0.0), 1, erasures=1, attack=attack).against(lambda y: value * y.sum(-1))(x)
        assert ((y != x).sum(-1) <= 2).all()

    def test_chance_spends_all_of_it(self):
        x = antipodal(500, 7)
        for harm in (None, lambda y: y.sum(-1)):
            changed = x * random_attack(harm, x, 3, 2)
            assert ((changed * x < 0).sum(-1) == 3).all()
            assert ((changed == 0).sum(-1) == 2).all()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_chance_prefers_no_symbol(self, dtype):
        x = torch.ones(10**5, 8, dtype=dtype)
        struck = (random_attack(None, x, 2, 1) != 1).sum(0)
        assert all(stats.binomtest(int(count), len(x), 3 / 8).pvalue > 1e-5 for count in struck)

    def test_chance_strikes_no_erased_symbol(self):
        y = antipodal(500, 7) * (torch.rand(500, 7) > 0.5)
        factors = random_attack(None, y, 2, 1)
        assert (factors[y == 0] == 1).all()
        left = (y != 0).sum(-1)
        assert torch.equal((factors != 1).sum(-1), left.clamp(max=3))

    @pytest.mark.parametrize("attack", SOME.values(), ids=SOME)
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    def test_precision_is_kept(self, attack, dtype):
        y = antipodal(5, 6).to(dtype)
        for harm in (None, lambda y: -y.sum(-1)):
            assert attack(harm, y, 1, 1).dtype == dtype


class TestHarm:
    def test_steepest_goes_where_the_harm_is_steepest(self):
        weights = torch.tensor([1.0, 5.0, 3.0, -9.0])
        factors = steepest_attack(lambda word: -(word * weights).sum(-1), torch.ones(1, 4), 2, 0)
        assert factors.tolist() == [[1.0, -1.0, -1.0, 1.0]]

    def test_erasures_come_after_flips_and_only_where_they_gain(self):
        weights = torch.tensor([1.0, 5.0, 3.0, -9.0])
        factors = steepest_attack(lambda word: -(word * weights).sum(-1), torch.ones(1, 4), 1, 3)
        assert factors.tolist() == [[0.0, -1.0, 0.0, 1.0]]

    @given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2**31))
    def test_steepest_is_best_where_harm_is_a_line(self, n, flips, erasures, seed):
        torch.manual_seed(seed)
        line, y = torch.randn(n, dtype=torch.float64), antipodal(6, n).double()

        def harm(word: Tensor) -> Tensor:
            return word @ line

        steepest, greedy, best = (
            harm(y * attack(harm, y, flips, erasures)) for attack in (steepest_attack, greedy_attack, exhaustive_attack)
        )
        assert torch.allclose(steepest, best)
        assert torch.allclose(greedy, best)

    @pytest.mark.parametrize(("flips", "erasures"), [(0, 0), (1, 0), (2, 0), (0, 2), (1, 1), (2, 2), (5, 5)])
    def test_exhaustive_is_the_best_there_is(self, flips, erasures):
        """Against every one of the 3^n patterns, those over the budget left out."""
        n, harm, y = 5, quadratic(5), antipodal(30, 5)
        y[:, 2] *= torch.rand(30) > 0.5  # some words have an erasure
        within = [
            pattern
            for pattern in itertools.product((1.0, -1.0, 0.0), repeat=n)
            if pattern.count(-1.0) <= flips and pattern.count(0.0) <= erasures
        ]
        best = torch.stack([harm(y * torch.tensor(pattern)) for pattern in within]).amax(0)
        assert torch.equal(harm(y * exhaustive_attack(harm, y, flips, erasures)), best)
        assert len(within) == count_patterns(n, flips, erasures)

    @pytest.mark.parametrize("name", CODES)
    @pytest.mark.parametrize(("flips", "erasures"), [(1, 0), (2, 0), (1, 1)])
    def test_to_search_is_better_than_to_climb_is_better_than_to_guess(self, name, flips, erasures):
        """In every word the first, on average the second. On BSC(0.1), 2,000 words: far beyond chance."""
        code = CODES[name][0]
        u = torch.randint(2, (2000, code.k)).float()
        x = code.encode(u)
        y = BSC(0.1)(x)
        own = (u.unsqueeze(-2) == code.messages).all(-1)

        def harm(word: Tensor) -> Tensor:
            """Log-odds against the word sent, at a noise power of a fortieth."""
            agreement = (20 * word @ code.words.T).masked_fill(own, -torch.inf)
            return torch.logsumexp(agreement, -1) - 20 * (word * x).sum(-1)

        searched, greedy, climbed, guessed = (
            harm(y * ATTACKS[attack](harm, y, flips, erasures))
            for attack in ("exhaustive", "greedy", "steepest", "random")
        )
        assert (searched >= greedy).all()
        assert (greedy >= climbed).all()
        assert (searched >= guessed).all()
        assert climbed.mean() > guessed.mean()
        assert guessed.mean() > harm(y).mean()

    @pytest.mark.parametrize("attack", ["steepest", "exhaustive"])
    def test_who_does_not_know_the_erasures_wastes_flips_on_them(self, attack):
        """The first symbol is worth most: blind, it is struck or nothing is; informed, the next one if it is erased."""
        x, worth = torch.ones(500, 3), torch.tensor([4.0, 2.0, 1.0])
        for informed in (True, False):
            channel = BitFlip(BEC(0.5), 1, informed=informed, attack=attack)
            y = channel.against(lambda y: -(y @ worth))(x)
            assert (y[:, 0] <= 0).all()
            struck = (y < 0).sum(-1)
            assert torch.equal(struck == 0, (y == 0).all(-1) if informed else y[:, 0] == 0)

    def test_to_know_the_erasures_is_better_than_not_to(self):
        """Of 4,000 words the difference in harm is 20 standard errors and more."""
        code, u = CODES["hamming"][0], torch.randint(2, (4000, 4)).float()
        harms = []
        for informed in (True, False):
            channel = BitFlip(BEC(0.4), 1, informed=informed, attack="exhaustive")
            armed = channel.against(lambda y: code.loss(u, y, BEC(0.4)))
            harms.append(code.loss(u, armed(code.encode(u)), BEC(0.4)).mean())
        assert harms[0] > harms[1]


class TestTies:
    """No symbol is struck for its place."""

    @pytest.mark.parametrize("attack", [steepest_attack, greedy_attack], ids=["steepest", "greedy"])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_chance_decides_between_equal_promises(self, attack, dtype):
        """False-alarm rate 1e-5 a symbol."""
        struck = (attack(lambda y: -y.sum(-1), torch.ones(20_000, 9, dtype=dtype), 2, 1) != 1).sum(0)
        assert int(struck.sum()) == 3 * 20_000
        assert all(stats.binomtest(int(count), 20_000, 1 / 3).pvalue > 1e-5 for count in struck)

    def test_flips_and_erasures_of_equals_are_drawn_too(self):
        """False-alarm rate 1e-5 a symbol."""
        flipped = (steepest_attack(lambda y: -y.sum(-1), torch.ones(20_000, 4), 1, 3) < 0).sum(0)
        assert all(stats.binomtest(int(count), 20_000, 1 / 4).pvalue > 1e-5 for count in flipped)

    def test_but_never_before_a_greater_promise(self):
        worth = torch.tensor([1.0, 2.0, 1.0, 2.0, 1.0, -1.0])
        factors = steepest_attack(lambda y: -(y @ worth), torch.ones(500, 6), 3, 0)
        assert (factors[:, [1, 3]] == -1).all()
        assert (factors[:, 5] == 1).all()
        assert ((factors == -1).sum(-1) == 3).all()

    def test_where_there_are_none_chance_is_not_asked(self):
        harm, y = quadratic(6), antipodal(50, 6)
        before = torch.get_rng_state()
        steepest_attack(harm, y, 2, 1)
        assert torch.equal(torch.get_rng_state(), before)


class TestTrials:
    def test_are_never_worse_than_the_steepest(self):
        """Nor, on average, than chance: 2,000 words, far beyond it."""
        harm, y = quadratic(12), antipodal(2000, 12)
        tried, steepest, guessed = (
            harm(y * attack(harm, y, 2, 1)) for attack in (tried_attack, steepest_attack, random_attack)
        )
        assert (tried >= steepest - 1e-4 * steepest.abs()).all()  # rounding: one product is of more rows
        assert tried.mean() > steepest.mean()
        assert tried.mean() > guessed.mean()

    @pytest.mark.parametrize("first", [0, 3, 8])
    def test_find_a_burst_wherever_it_hurts(self, first):
        """Eight bursts at one of nine places, the first of them at the start: a given one is missed in less than half
        of the words. Of 500, false-alarm rate 1e-9.
        """

        def harm(y: Tensor) -> Tensor:
            return (y[..., first : first + 4] == -1).all(-1).float() - 1e-3 * y.sum(-1)

        y = torch.ones(500, 12)
        found = (harm(y * tried_attack(harm, y, 4, 0)) > 0.9).float().mean()
        assert found == 1 if first == 0 else found > 0.4

    def test_spare_what_nature_has_struck(self):
        """Whoever flips an error back or strikes an erasure wastes it, unless nothing else is left."""
        y = torch.ones(300, 10)
        y[:, 1::4], y[:, 2::4] = -1.0, 0.0
        factors = tried_attack(lambda y: -y.sum(-1), y, 2, 1)
        assert (factors[y == -1] == 1).all()
        assert (factors[y == 0] == 1).all()
        assert ((factors == -1).sum(-1) == 2).all()


@pytest.mark.parametrize("attack", ["exhaustive", "tried"])
def test_codes_are_attacked_through_their_decoder(attack):
    """Three flips where one bit counts break any word, but the first three symbols hold two that say nothing.

    The log-loss before decoding is blind to that. Of 100 words trials would have to miss all for an alarm.
    """
    codec = Convolutional(4, (0b001, 0b111))
    sent = Link(Bits(4), codec, BitFlip(BSC(0.0), 3, attack=attack)).transmit(100)
    lost = (sent.u != sent.u_hat).any(-1)
    assert lost.all() if attack == "exhaustive" else lost.float().mean() > 0.5


class TestDistance:
    """``2t + e < d``: fewer flips and erasures never lead to an error, whoever places them."""

    CASES = [  # noqa: RUF012
        (name, flips, erasures)
        for name, (_, distance) in CODES.items()
        for flips in range(3)
        for erasures in range(distance)
        if 2 * flips + erasures < distance
    ]

    @pytest.mark.parametrize(("name", "flips", "erasures"), CASES)
    def test_within_it_no_word_is_ever_wrong(self, name, flips, erasures):
        """All messages, each against the worst of all patterns."""
        code = CODES[name][0]
        u = code.messages
        channel = BitFlip(BSC(0.0), flips, erasures=erasures, attack="exhaustive")
        y = channel.against(lambda word: code.loss(u, word, channel.nominal))(code.encode(u))
        assert torch.equal(code.decode(y, channel.nominal), u)

    @pytest.mark.parametrize(
        ("name", "flips", "erasures"), [("hamming", 1, 0), ("bch", 1, 1), ("bch", 2, 0), ("bch", 0, 4)]
    )
    def test_nor_by_any_pattern_at_all(self, name, flips, erasures):
        """Not a matter of what the adversary believes to be worst: every pattern, for one message in eight."""
        code = CODES[name][0]
        u = code.messages[::8]
        x = code.encode(u)
        for struck in itertools.combinations(range(code.n), flips + erasures):
            for turned in itertools.combinations(struck, flips):
                factors = torch.ones(code.n)
                factors[list(struck)] = 0.0
                factors[list(turned)] = -1.0
                assert torch.equal(code.decode(x * factors, BSC(0.1)), u)

    @pytest.mark.parametrize(
        ("name", "flips", "erasures"), [("hamming", 1, 1), ("hamming", 2, 0), ("bch", 2, 1), ("bch", 3, 0)]
    )
    def test_beyond_it_every_word_can_be_broken(self, name, flips, erasures):
        """At 2t + e ≥ d: a tie at least, which a fair coin decides."""
        code = CODES[name][0]
        u = code.messages
        channel = BitFlip(BSC(0.0), flips, erasures=erasures, attack="exhaustive")
        y = channel.against(lambda word: code.loss(u, word, channel.nominal))(code.encode(u))
        assert (code.loss(u, y, channel.nominal) >= 0).all()

    @pytest.mark.parametrize("name", CODES)
    def test_natures_erasures_count(self, name):
        """Wherever a word's own erasures leave room, the flips of an informed adversary do not break it."""
        code, distance = CODES[name]
        u = torch.randint(2, (3000, code.k)).float()
        channel = BitFlip(BEC(0.15), 1, attack="exhaustive")
        y = channel.against(lambda word: code.loss(u, word, channel.nominal))(code.encode(u))
        safe = 2 + (y == 0).sum(-1) < distance
        right = (code.decode(y, channel.nominal) == u).all(-1)
        assert 0 < int(safe.sum()) < len(u)
        assert right[safe].all()
        assert not right.all()


class TestArming:
    def test_leaves_the_original_unarmed(self):
        channel, x = BitFlip(BSC(0.0), 1), torch.ones(50, 4)
        armed = channel.against(lambda y: -y[..., 3])
        assert armed is not channel
        assert (armed(x)[:, 3] == -1).all()
        assert not (channel(x)[:, 3] == -1).all()

    def test_survives_a_change_of_level(self):
        armed = BitFlip(BSC(0.5), 1).against(lambda y: -y[..., 3]).at(0.0)
        assert (armed(torch.ones(50, 4))[:, 3] == -1).all()

    def test_teaches_no_one(self):
        """The harm's slope is taken for the attack alone: no gradient stays in the codec."""
        weight = torch.ones(4, requires_grad=True)
        y = BitFlip(BSC(0.0), 1).against(lambda y: -(weight * y).sum(-1))(torch.ones(3, 4))
        assert weight.grad is None
        assert not y.requires_grad

    def test_strikes_without_gradients_too(self):
        with torch.no_grad():
            y = BitFlip(BSC(0.0), 1).against(lambda y: -y.sum(-1))(torch.ones(3, 4))
        assert ((y < 0).sum(-1) == 1).all()


class TestPatterns:
    @given(st.integers(1, 8), st.integers(0, 9), st.integers(0, 9))
    def test_are_counted(self, n, flips, erasures):
        counted = sum(
            math.comb(n, flipped) * math.comb(n - flipped, erased)
            for flipped, erased in itertools.product(range(n + 1), repeat=2)
            if flipped <= flips and erased <= min(erasures, n - flipped)
        )
        assert count_patterns(n, flips, erasures) == counted

    def test_too_many_are_refused(self):
        channel = BitFlip(BSC(0.0), 3, attack="exhaustive")
        with pytest.raises(ValueError, match=f"patterns, over {MOST_PATTERNS}: use another one"):
            channel(torch.ones(1, 100))

    def test_make_a_word_dear(self):
        assert BitFlip(BSC(0.0), 2, attack="exhaustive").cost(15) == 121
        assert BitFlip(BSC(0.0), 2, attack="greedy").cost(15) == 13
        assert BitFlip(BSC(0.0), 2, attack="tried").cost(15) == 17
        assert BitFlip(BSC(0.0), 2).cost(15) == 1


class TestRefusals:
    @pytest.mark.parametrize("budget", [-1, 1.5, "two"])
    def test_budgets_are_whole(self, budget):
        with pytest.raises(ValueError, match="flips must be a whole number"):
            BitFlip(BSC(0.1), budget)
        with pytest.raises(ValueError, match="erasures must be a whole number"):
            BitFlip(BSC(0.1), 1, erasures=budget)

    @pytest.mark.parametrize("nature", [AWGN(1.0), NoisyFlips(0.1, AWGN(1.0))])
    def test_nature_is_binary(self, nature):
        with pytest.raises(ValueError, match="need a binary channel"):
            BitFlip(nature, 1)

    def test_attacks_have_names(self):
        with pytest.raises(ValueError, match="one of exhaustive, greedy, random, steepest, tried, got 'clever'"):
            BitFlip(BSC(0.1), 1, attack="clever")

    def test_the_receiver_expects_nature_alone(self):
        assert repr(BitFlip(ErrorsAndErasures(0.1, 0.2), 5).nominal) == repr(ErrorsAndErasures(0.1, 0.2))
