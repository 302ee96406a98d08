"""Separate source and channel coding: bits are counted whole, budgets are kept, and the best is chosen."""

import json
from dataclasses import replace

import numpy as np
import pytest

from channels import AWGN, Rayleigh
from jscc_sim.case import Case
from jscc_sim.data.parts import Part, Parts
from jscc_sim.link import Link
from jscc_sim.metrics import BLER
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.separation import (
    FORMATS,
    Design,
    Loss,
    Mode,
    OverFading,
    OverNoise,
    coded,
    decoded,
    designed,
    ideal,
    in_outage,
    modes,
    practical,
)
from jscc_sim.sources import Bits
from jscc_sim.theory.limits import capacity_complex


def scenes(count: int, colours: int, side: int = 16) -> np.ndarray:
    """Smooth pictures with some texture, a stand-in for photographs."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 4, 4, colours)).astype(float)
    fine = np.kron(coarse, np.ones((1, side // 4, side // 4, 1))) + rng.normal(0, 8, (count, side, side, colours))
    images = fine.clip(0, 255).astype(np.uint8)
    return images[..., 0] if colours == 1 else images


# The image that receivers know beforehand.
MEAN = np.full((16, 16, 3), 127.5)


def at_capacity(mode: Mode, snr_db: float) -> Loss:
    """What the best of codes would lose."""
    gone = float(capacity_complex(10 ** (snr_db / 10), 0, 1) < mode.rate)
    return Loss(gone, gone)


NOTHING, ALL = OverNoise(lambda mode, snr_db: Loss(1.0, 1.0)), OverNoise(lambda mode, snr_db: Loss(0.0, 0.0))


@pytest.fixture(scope="module")
def codes():
    return {name: coded(scenes(130, 3), name, MEAN) for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
class TestCoded:
    def test_more_bits_make_fewer_errors(self, name, codes):
        code = codes[name]
        assert code.bits.shape == code.errors.shape[:2] == (2, len(FORMATS[name]))
        assert code.errors.shape[2] == code.images == 64
        order = code.bits[0].argsort()
        errors = code.errors[0].mean(1)[order]
        assert errors[0] > 4 * errors[-1]
        assert np.corrcoef(np.log(code.bits[0][order]), np.log(errors + 1e-6))[0, 1] < -0.7

    def test_a_header_is_most_of_an_empty_file_and_none_of_a_full_one(self, name, codes):
        assert 100 < codes[name].header <= codes[name].bits.min()

    def test_budgets_are_kept(self, name, codes):
        code = codes[name]
        before = np.inf
        for budget in (1, 300, 1000, 3000, 1e9):
            errors, spent = code.within(budget)
            assert (spent <= 64 * budget).all()
            assert errors.mean() <= before
            before = errors.mean()
        assert np.array_equal(code.within(1)[0], code.given_up)
        hopeless = replace(code, errors=np.ones_like(code.errors))  # worse than the mean image, whatever the budget
        assert np.array_equal(hopeless.within(1e9)[0], code.given_up)
        assert (hopeless.within(1e9)[1] == 0).all()
        assert before == pytest.approx(code.errors.mean(2).min(1).mean())

    def test_grey_pictures_too(self, name):
        code = coded(scenes(64, 1), name, MEAN[..., 0])
        assert code.errors.min() < 1e-3 < code.errors.max()


@pytest.mark.parametrize("name", FORMATS)
def test_what_comes_back_has_the_error_that_is_told(name):
    images = scenes(64, 3)
    code = coded(images, name, MEAN)
    for budget in (20.0, 100.0, 150.0, 400.0):
        back, (errors, spent) = decoded(images, code, budget), code.within(budget)
        assert (back is None) == (spent[0] == 0)
        if back is not None:
            assert np.square((images.astype(float) - back) / 255).mean() == pytest.approx(errors[0].mean())


def test_where_nothing_is_sent_the_error_is_that_of_the_image_known_beforehand():
    images = scenes(64, 3)
    code = coded(images, "jpeg", MEAN)
    assert code.given_up[0, 7] == pytest.approx(np.square((images[7] - 127.5) / 255).mean())
    assert decoded(images, code, 1.0) is None


def test_images_keep_their_places():
    images = scenes(64, 3)
    images[5] = 0  # one that is easily told from the others
    lossless = coded(images, "webp", MEAN)
    assert lossless.errors[0, -1].max() == 0
    jpeg = coded(images, "jpeg", MEAN)
    assert jpeg.errors[0, 40].argmin() == 5


def test_noise_in_colours_is_coded():
    """Where JPEG takes more bytes than there are pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 40, 40, 3), dtype=np.uint8)
    assert coded(noise, "jpeg", np.full((40, 40, 3), 128.0)).bits.max() > 8 * 64 * 40 * 40


def test_too_few_images_are_told():
    with pytest.raises(ValueError, match="a mosaic takes 64 images, got 63"):
        coded(scenes(63, 3), "jpeg", MEAN)
    with pytest.raises(ValueError, match="image format 'jpg'"):
        coded(scenes(64, 3), "jpg", MEAN)


class TestBaseline:
    def test_at_capacity_the_file_fills_the_uses(self, codes):
        outcome = ideal(codes.values(), 300.0, 6.0)
        assert outcome.budget == pytest.approx(300 * float(capacity_complex(10**0.6, 0, 1)))
        assert 0.5 * outcome.budget < outcome.spent <= outcome.budget
        assert outcome.header < outcome.spent
        assert outcome.psnr >= max(ideal([code], 300.0, 6.0).psnr for code in codes.values())

    def test_better_channels_and_more_uses_do_no_harm(self, codes):
        by_snr = [ideal(codes.values(), 200.0, level).psnr for level in (-20, 0, 5, 10, 20)]
        by_uses = [in_outage([codes["webp"]], uses, 10.0).psnr for uses in (50, 100, 400)]
        assert by_snr == sorted(by_snr)
        assert by_snr[0] == practical([*codes.values()], 200.0, -20, NOTHING).psnr  # not even at capacity
        assert by_uses == sorted(by_uses)

    def test_fading_that_is_not_known_costs(self, codes):
        faded, still = in_outage([codes["webp"]], 300.0, 10.0), ideal([codes["webp"]], 300.0, 10.0)
        assert faded.psnr < still.psnr
        # Of a chance of e^{−x} that log2(1 + h² SNR) is the rate: x = (2^r − 1)/SNR.
        rate = faded.budget / 300
        assert faded.lost == pytest.approx(1 - np.exp(-(2**rate - 1) / 10))

    def test_codes_lie_below_capacity_and_the_best_mode_is_chosen(self, codes):
        asked = []

        def lost(mode: Mode, snr_db: float) -> Loss:
            asked.append(mode)
            return Loss(1.0, 1.0) if mode.rate > 1.5 else Loss(1e-9, 1e-3)

        outcome = practical([codes["webp"]], 300.0, 10.0, OverNoise(lost))
        assert outcome.psnr < ideal([codes["webp"]], 300.0, 10.0).psnr
        uses = 300 * 64
        chosen = next(mode for mode in modes(uses) if mode.name == outcome.scheme)
        assert chosen.rate == max(mode.rate for mode in modes(uses) if mode.rate <= 1.5)
        assert len(asked) == len(set(asked))
        limits = [Design(codes["webp"], mode, 300.0).at_most(10.0, OverNoise(lost)).psnr for mode in asked]
        assert min(limits) >= outcome.psnr  # none is asked that could not do better
        assert all(mode.rate < np.log2(1 + 10) for mode in asked)  # nor any beyond capacity
        assert outcome.budget <= 300 * chosen.rate

    def test_lost_mosaics_count(self, codes):
        sure, risky = (
            practical([codes["webp"]], 300.0, 3.0, OverNoise(lambda mode, snr, p=p: Loss(p, p + 0.01)))
            for p in (0.0, 0.05)
        )
        by_name = {mode.name: mode for mode in modes(300 * 64)}
        few, many = (300 * 64 // by_name[outcome.scheme].uses for outcome in (risky, sure))
        assert risky.lost == pytest.approx(1 - 0.95**few)
        assert (sure.lost, sure.lost_most) == (0, pytest.approx(1 - 0.99**many))  # none was seen to be lost
        assert few <= many
        assert risky.psnr < sure.psnr

    def test_where_nothing_gets_through_the_mean_image_is_left(self, codes):
        outcome = practical([codes["webp"]], 300.0, -15.0, NOTHING)
        assert outcome.scheme == "nothing is sent"
        assert outcome.header == outcome.spent == 0
        assert outcome.psnr == pytest.approx(float((-10 * np.log10(codes["webp"].given_up)).mean()))

    def test_a_design_that_stays_falls_off_a_cliff_and_rises_no_more(self, codes):
        """Where its mode carries nothing only the mean image is left, and above nothing is gained."""

        losses = OverNoise(at_capacity)
        design = designed([codes["webp"]], 300.0, 10.0, losses)
        below, there, above = (design.at(snr_db, losses) for snr_db in (0.0, 10.0, 20.0))
        assert there == practical([codes["webp"]], 300.0, 10.0, losses)
        assert below.psnr == practical([codes["webp"]], 300.0, -15.0, losses).psnr < there.psnr == above.psnr
        assert above.psnr < practical([codes["webp"]], 300.0, 20.0, losses).psnr
        assert designed([codes["webp"]], 300.0, -30.0, losses) is None

    def test_mosaics_smaller_than_a_block_are_refused(self, codes):
        with pytest.raises(ValueError, match=r"128 complex uses .* carry 256 bits as qpsk, fewer than a block of 480"):
            practical([codes["webp"]], 2.0, 20.0, ALL)

    def test_a_mode_that_delivers_nothing_is_none(self, codes):
        assert designed([codes["webp"]], 300.0, 5.0, NOTHING) is None
        assert designed([codes["webp"]], 8.0, 5.0, ALL) is None  # nothing fits


class TestOverFading:
    """One gain for a mosaic: codes at capacity are lost in outage, and real ones a little more often."""

    @pytest.mark.parametrize("snr_db", [0.0, 7.0, 20.0])
    def test_codes_at_capacity_are_lost_in_outage(self, snr_db):
        """To half a step of the levels, however many blocks a mosaic has."""
        losses = OverFading(at_capacity)
        for mode in modes(19_200)[::9]:
            found, least = losses.of_mosaic(mode, snr_db, 12), losses.least(mode.rate, snr_db)
            half = 10**0.025
            assert 1 - (1 - least) ** (1 / half) <= found.mean <= 1 - (1 - least) ** half
            assert found == losses.of_mosaic(mode, snr_db, 1)

    def test_a_block_is_lost_as_often_as_over_the_channel_itself(self):
        """LDPC blocks through faded words: the estimate lies in the 95 % interval of 1,500, which this seed has."""
        mode = Mode(240, 480, "qpsk")
        link = Link(Bits(mode.k), mode.codec, Rayleigh(1.0).at(6.0)).eval()
        (row,) = sweep([Case(link, labels={"knob": "snr_db", "level": 6.0})], Budget(1500), metrics=[BLER])
        found = OverFading(lambda mode, snr_db: mode.lost_in_noise(snr_db, 60)).of_mosaic(mode, 6.0, 1)
        assert row.low <= found.mean <= row.high
        assert found.mean < found.high < row.high + 0.05

    def test_the_best_design_is_that_of_all(self, codes):
        """What is left out, because it could not do better, does not."""
        losses = OverFading(at_capacity)
        best = practical([*codes.values()], 300.0, 10.0, losses)
        others = (Design(code, mode, 300.0).at(10.0, losses) for mode in modes(300 * 64) for code in codes.values())
        assert best.psnr == max(other.psnr for other in others)
        assert best.psnr <= in_outage([*codes.values()], 300.0, 10.0).psnr


class TestModes:
    def test_modes_have_their_rates(self):
        known = modes(19_200)
        assert len({mode.name for mode in known}) == len(known)
        for mode in (known[0], known[-1]):
            assert 2 * mode.uses == mode.codec.n
        carried = [19_200 // mode.uses * mode.k for mode in known]
        assert carried == sorted(carried)

    @pytest.mark.parametrize("uses", [241, 500, 3000, 6272, 32768])
    def test_blocks_fill_the_uses(self, uses):
        for mode in modes(uses):
            spare = uses - uses // mode.uses * mode.uses
            assert 0 <= spare < uses // mode.uses  # not one more to each block

    def test_losses_are_measured_through_the_channel(self, monkeypatch):
        mode, measure, sent = Mode(3240, 6480, "qpsk"), Mode._lost, []
        monkeypatch.setattr(Mode, "_lost", lambda *given: sent.append(given[2].words) or measure(*given))
        assert mode.lost_in_noise(-1.0, 40).mean == 1
        assert sent == [20]  # no need to go on
        assert mode.lost_in_noise(4.0, 40).mean == 0
        assert 0 < mode.lost_in_noise(4.0, 40).high < 0.1
        assert mode.codec.decode(AWGN(1e-3)(mode.codec.encode(mode_bits(mode))), AWGN(1e-3)).equal(mode_bits(mode))


def mode_bits(mode: Mode):
    import torch

    return (torch.arange(2 * mode.k) % 3 == 0).float().view(2, mode.k)


class TestCommand:
    @pytest.fixture(autouse=True)
    def pictures(self, monkeypatch):
        part = Part(scenes(128, 3))
        monkeypatch.setattr("jscc_sim.data.parts.load_parts", lambda name: Parts(part, part, part))

    @pytest.mark.parametrize("more", [(), ("--designed-for", "8")])
    def test_prints_two_lines_for_each_snr(self, run, monkeypatch, more):
        monkeypatch.setattr(Mode, "lost_in_noise", lambda mode, snr_db, *asked: at_capacity(mode, snr_db))
        asked = ("--snr", "0:10:5", "--channel", "rayleigh", "--format", "jpeg", *more)
        code, lines, _ = run("separation", *asked, "--json")
        found = [json.loads(line) for line in lines]
        assert code == 0
        assert [one["snr_db"] for one in found] == [0, 0, 5, 5, 10, 10]
        assert all(code["psnr"] <= limit["psnr"] for limit, code in zip(found[::2], found[1::2], strict=True))
        assert (len({code["scheme"] for code in found[1::2]}) == 1) == bool(more)
        assert {"psnr", "uses", "budget", "spent", "header", "lost", "lost_most", "format", "scheme"} <= found[0].keys()
        assert found[0]["uses"] == pytest.approx(128)

    def test_measures_what_the_codes_lose(self, run):
        code, lines, _ = run("separation", "--snr", "2", "--format", "webp", "--words", "20")
        assert code == 0
        assert lines[0] == "128 images of cifar10 over awgn, ratio 1/6, seed 0"
        assert lines[1].startswith("SNR (dB)  PSNR")
        assert lines[2].endswith("capacity")
        assert "LDPC(" in lines[3]

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (("--ratio", "0"), "positive fraction"),
            (("--format", "png"), "png"),
            (("--ratio", "1/1000"), "larger ratio"),
            (("--ratio", "1e400"), "at most 4, got 1e400"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, run, asked, said):
        code, _, errors = run("separation", "--snr", "2", "--format", "webp", *asked)
        assert code == 2
        assert said in errors[-1]
