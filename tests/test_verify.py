"""Verification passes on the instrument as it is, and fails on each of the planted faults."""

import math

import pytest
import torch

from channels import (
    AWGN,
    BEC,
    BSC,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    Received,
    SharedRotation,
    SharedSign,
    TapPolicy,
    UnitPower,
)
from channels import awgn as awgn_module
from jscc_sim import tally
from jscc_sim.codecs import Linear
from jscc_sim.tally import Estimate
from jscc_sim.verify import Plan, Verification, make_plan, verify
from jscc_sim.verify.claim import _holm


@pytest.fixture(scope="module")
def quick() -> Verification:
    """The whole quick plan, once; its false-alarm rate is stated in `Trial`, and its seed is fixed."""
    return verify(make_plan(quick=True))


def plan(*names: str, calibration: bool = False) -> Plan:
    return make_plan(quick=True).only(*names, calibration=calibration)


class TestAsItIs:
    def test_everything_is_verified(self, quick):
        assert [point for point in quick.points if not point.verified] == []
        assert quick.verified
        assert quick.family > 1e-3

    def test_the_plan_is_precise_enough(self, quick):
        """A standard error at most a sixth of its margin, give or take what estimating it costs."""
        for point in quick.points:
            if point.z is not None and point.trial != "calibration of intervals":
                assert point.std_error <= point.margin / 5, point

    def test_the_plan_covers_what_it_should(self, quick):
        names = " ".join(point.trial for point in quick.points)
        for part in ("awgn", "k=1, n=2", "tap", "sign", "coloured", "images", "bpsk", "bsc", "bec", "repetition"):
            assert part in names
        for part in ("rayleigh", "rician", "flip", "2t + e < d", "moments", "calibration"):
            assert part in names

    def test_the_whole_plan_has_the_margins_of_the_claim(self):
        for trial in make_plan().trials:
            for metric, exact, margin in trial.points:
                scale = abs(exact) or 1.0
                limit = 0.02 if metric.errors else 0.006 if exact == 0 else 0.005
                assert margin <= limit * scale * (1 + 1e-9)


class TestPlan:
    def test_its_hash_follows_from_what_it_says(self):
        assert make_plan(quick=True).digest == make_plan(quick=True).digest
        digests = {make_plan(quick=True).digest, make_plan().digest, make_plan(quick=True, seed=1).digest}
        assert len(digests) == 3

    def test_a_trial_is_the_same_alone(self, quick):
        (alone,) = verify(plan("bsc 0.3")).points
        assert alone == next(point for point in quick.points if point.trial == "bsc 0.3")

    def test_names_a_trial_that_is_not_there(self):
        with pytest.raises(ValueError, match="no trial begins with 'nonsense'"):
            plan("nonsense")

    def test_holm_rejects_in_order_of_evidence(self, quick):
        from dataclasses import replace

        point = quick.points[0]
        points = [replace(point, z=z) for z in (0.1, 8.0, 3.9, 2.0)]
        assert [judged.kept for judged in _holm(points)] == [True, False, False, True]


def rescaled(factor: float):
    """AWGN whose noise has ``factor`` times the power that it should."""

    def transmit(self, x, u=None):
        return Received(x + math.sqrt(factor * self.noise_power) * torch.randn_like(x), self)

    return transmit


class TestCatches:
    """Each fault is planted alone and run against the trials that can see it."""

    @staticmethod
    def failed(*names: str, calibration: bool = False) -> bool:
        found = verify(plan(*names, calibration=calibration))
        # Every named trial sees it.
        return not found.verified and not any(point.verified for point in found.points if point.exact != 0)

    @pytest.mark.parametrize("factor", [2.0, 0.5])
    def test_noise_variance_doubled_or_halved(self, monkeypatch, factor):
        monkeypatch.setattr(AWGN, "transmit", rescaled(factor))
        assert self.failed("gaussian awgn 10 dB", "moments of awgn", "bpsk awgn 4 dB")

    @pytest.mark.parametrize("slip_db", [10 * math.log10(2), -10 * math.log10(2)])
    def test_three_decibels_between_real_and_complex(self, monkeypatch, slip_db):
        right = awgn_module.from_decibels
        monkeypatch.setattr(awgn_module, "from_decibels", lambda level: right(level + slip_db))
        assert self.failed("gaussian awgn 0 dB", "moments of awgn", "bpsk awgn 8 dB", "repetition-3 awgn")

    def test_batch_normalisation_left_on_in_evaluation(self, monkeypatch):
        right = UnitPower.forward

        def trained(self, a):
            return right(self.train(), a)

        monkeypatch.setattr(UnitPower, "forward", trained)
        assert self.failed("frozen power in blocks of 64")

    def test_normalisation_of_each_codeword(self, monkeypatch):
        def encode(self, u):
            return u / u.square().mean(-1, keepdim=True).sqrt()

        monkeypatch.setattr(Linear, "encode", encode)
        assert self.failed("gaussian awgn 0 dB", "gaussian jammer 10 dB, SJR 0 dB", "shared rotation")

    def test_a_sign_that_is_not_shared(self, monkeypatch):
        monkeypatch.setattr(SharedSign, "unlock", lambda self, y, key: self.key(y) * y)
        assert self.failed("tap behind", "source-aware behind a shared sign")

    def test_a_jammer_over_its_budget_by_two_per_cent(self, monkeypatch):
        right = Jammer.add
        monkeypatch.setattr(Jammer, "add", lambda self, x, a: right(self, x, math.sqrt(1.02) * a))
        found = verify(plan("moments of jammer", "moments of two-point"))
        assert [point.verified for point in found.points if point.metric.startswith("power")] == [False] * 4

    def test_a_jammer_with_an_offset_within_its_budget(self, monkeypatch):
        """A tenth of its power: the payoff is what it was, the first moment tells."""

        def shifted(self, x, u=None):
            return math.sqrt(0.9) * torch.randn_like(x) + math.sqrt(0.1)

        monkeypatch.setattr(GaussianPolicy, "forward", shifted)
        found = verify(plan("moments of jammer", "gaussian jammer 10 dB, SJR 0 dB"))
        assert not found.verified
        verified = {point.metric: point.verified for point in found.points}
        assert {metric for metric, right in verified.items() if right} == {"mse", "power[0]", "power[1]"}

    @pytest.mark.parametrize("factor", [1.03, 0.97])
    def test_a_flip_probability_off_by_three_per_cent(self, monkeypatch, factor):
        monkeypatch.setattr(BSC, "at", lambda self, level: BSC(factor * level))
        whole = verify(make_plan().only("bsc 0.3", "bsc 0.1", "repetition-5 bsc", "hamming bsc"))
        assert not any(point.verified for point in whole.points)
        assert not verify(plan("bsc")).verified  # the quick plan sees it too, by its most precise points

    def test_erasures_returned_as_random_bits(self, monkeypatch):
        right = BEC.transmit

        def transmit(self, x, u=None):
            y, law = right(self, x)
            return Received(torch.where(y == 0, torch.randint_like(y, 2) * 2 - 1, y), law)

        monkeypatch.setattr(BEC, "transmit", transmit)
        assert self.failed("repetition-3 bec", "bch bec")
        assert verify(plan("bec 0.1")).verified  # uncoded bits cannot tell: the receiver tosses a coin itself

    def test_intervals_over_bits_instead_of_words(self, monkeypatch):
        right = tally.mean

        def over_bits(blocks, pilot=None) -> Estimate:
            from dataclasses import replace

            found = right(blocks, pilot)
            return replace(found, std_error=math.sqrt(found.mean * (1 - found.mean) / (64 * found.words)))

        monkeypatch.setattr(tally, "mean", over_bits)
        found = verify(plan("bsc 0.3", calibration=True))
        assert not found.verified
        assert found.points[-1].mean > 5  # the design effect
        assert not found.points[-1].verified

    def test_a_tap_that_takes_five_per_cent_too_little(self, monkeypatch):
        """At the saddle the payoff hardly moves, and the power is restored: its correlation with the signal tells."""
        right = TapPolicy.forward

        def shy(self, x, u=None):
            return right(self, x) - 0.05 * self.correlation * x

        monkeypatch.setattr(TapPolicy, "forward", shy)
        assert self.failed("moments of tap")

    def test_a_rotation_that_is_none(self, monkeypatch):
        monkeypatch.setattr(SharedRotation, "key", lambda self, x: torch.eye(x.shape[-1]).expand(*x.shape, -1))
        assert self.failed("source-aware behind a rotation")

    def test_a_jammer_that_repeats_itself(self, monkeypatch):
        right = LaplacePolicy.forward
        monkeypatch.setattr(LaplacePolicy, "forward", lambda self, x, u=None: right(self, x[:, :1]).expand_as(x))
        found = verify(plan("moments of laplace"))
        assert {point.metric for point in found.points if not point.verified} == {"with next"}

    def test_and_an_exact_value_off_by_the_margin(self):
        """The verdict's own power: a point whose truth lies a margin away fails its equivalence test."""
        from dataclasses import replace

        chosen = plan("gaussian jammer 10 dB, SJR 0 dB")
        (trial,) = chosen.trials
        ((metric, exact, margin),) = trial.points
        moved = replace(trial, points=((metric, exact + margin, margin),))
        (point,) = verify(replace(chosen, trials=(moved,))).points
        assert not point.equivalent
