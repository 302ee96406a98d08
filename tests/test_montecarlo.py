"""The simulator: the same bits whatever the workers, the order, the kills; and it agrees with exact values."""

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
import torch

from channels import AWGN, BEC, BSC, BitFlip, GaussianPolicy, Jammer, TwoPointPolicy
from jscc_sim.codecs import KLT, Linear, NeuralCodec, Repetition
from jscc_sim.link import Link
from jscc_sim.metrics import MSE, metrics_for
from jscc_sim.montecarlo import MOST_BLOCKS, Budget, Case, block_seed, simulate, sweep
from jscc_sim.sources import Bits, Gaussian, Images
from jscc_sim.store import Store
from jscc_sim.theory.coding import repetition_error
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.verify import verdict


def jammed(noise_power: float, policy=GaussianPolicy) -> Case:
    link = Link(Gaussian(), Linear(), Jammer(policy(), noise_power)).eval()
    return Case(link, {"noise": noise_power}, {"mse": float(scalar_payoff(1, 1, 1, noise_power))})


def flipped(p: float) -> Case:
    link = Link(Bits(), Repetition(), BitFlip(BEC(p), 1))
    return Case(link, {"p": p}, {"ber": repetition_error(3, erase=p, flips=1)})


CASES = [jammed(0.1), jammed(1.0), flipped(0.1), flipped(0.01)]
BUDGET = Budget(rel_error=0.02)


@pytest.fixture(scope="module")
def rows() -> list:
    return list(sweep(CASES, BUDGET))


class TestReproducesBitForBit:
    def test_in_threads(self, rows):
        with ThreadPoolExecutor(4) as pool:
            assert list(sweep(CASES, BUDGET, executor=pool)) == rows

    def test_in_fresh_processes(self, rows):
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            assert list(sweep(CASES, BUDGET, executor=pool)) == rows

    def test_in_another_order_and_alone(self, rows):
        assert list(sweep(CASES[::-1], BUDGET)) == rows[::-1]
        assert list(sweep(CASES[2:3], BUDGET)) == rows[2:3]

    def test_whatever_the_threads_and_the_generator(self, rows):
        threads = torch.get_num_threads()
        torch.set_num_threads(threads + 1)
        torch.manual_seed(99)
        try:
            assert list(sweep(CASES[:1], BUDGET)) == rows[:1]
            assert torch.get_num_threads() == threads + 1
        finally:
            torch.set_num_threads(threads)

    @pytest.mark.parametrize("blocks", [1, 17, 40])
    def test_from_a_store_that_knows_some_blocks(self, rows, tmp_path, blocks):
        path = tmp_path / "store.jsonl"
        heard = []

        def interrupt(words, planned):
            heard.append(words)
            if len(heard) == blocks:
                raise KeyboardInterrupt

        with Store(path) as store, pytest.raises(KeyboardInterrupt):
            list(sweep(CASES, BUDGET, store=store, progress=interrupt))
        with Store(path) as store:
            assert list(sweep(CASES, BUDGET, store=store)) == rows
        heard.clear()
        with Store(path) as store:
            assert list(sweep(CASES, BUDGET, store=store, progress=interrupt)) == rows
        assert not heard

    def test_after_sigkill_at_random_moments(self, tmp_path):
        path = tmp_path / "store.jsonl"
        command = [sys.executable, "-m", "jscc_sim.cli", "sweep", "--channel", "jammer", "--snr", "0:20:10"]
        command += ["--rel-error", "0.002", "--json"]
        whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for wait in (0.1, 0.5):
            run = subprocess.Popen([*command, "--store", str(path)], stdout=subprocess.DEVNULL)
            before = path.stat().st_size if path.exists() else 0
            while run.poll() is None and not (path.exists() and path.stat().st_size > before + 500):
                time.sleep(0.01)
            time.sleep(wait / 5)
            run.kill()
            run.wait()
        assert path.stat().st_size > 500
        resumed = subprocess.run([*command, "--store", str(path)], capture_output=True, text=True, check=True)
        assert resumed.stdout == whole


class TestSeeds:
    def test_matter(self, rows):
        assert next(iter(sweep(CASES, BUDGET, seed=1))).mean != rows[0].mean

    def test_of_blocks_never_collide(self):
        assert len({block_seed(12345, block) for block in range(200_000)}) == 200_000

    def test_of_cases_differ_in_every_parameter(self):
        linear = [Case(Link(Gaussian(), Linear(), AWGN(noise))) for noise in (0.1, 0.1 + 1e-15)]
        weights = [Case(Link(Gaussian(), NeuralCodec(hidden=2), AWGN(0.1))) for _ in range(2)]
        assert len({case.key for case in [*CASES, *linear, *weights]}) == 8

    def test_a_block_depends_on_its_number_alone(self):
        link = CASES[0].link
        some = dict(simulate(link, [MSE], 100, 7, [3, 1, 2]))
        assert some == dict(simulate(link, [MSE], 100, 7, [1, 2, 3]))
        assert len({block["mse"].total for block in some.values()}) == 3


class TestStops:
    def test_means_at_the_asked_width(self, rows):
        for row in rows[:2]:
            assert (row.high - row.low) / 2 <= 0.02 * row.mean

    def test_error_rates_at_the_asked_width(self, rows):
        for row in rows[2:]:
            assert (row.high - row.low) / 2 <= 0.02 * row.mean

    def test_fixed_words_round_up_to_whole_blocks(self):
        case = flipped(0.1)
        (row,) = sweep([case], Budget(words=case.words_per_block + 1))
        assert row.words == 2 * case.words_per_block

    def test_hopeless_error_rates_give_up(self):
        (row,) = sweep([Case(Link(Bits(), Repetition(), BSC(0.0)))])
        assert row.words == MOST_BLOCKS * flipped(0.1).words_per_block
        assert row.mean == 0 < row.high < 1e-6

    @pytest.mark.parametrize("bad", [{"words": 0}, {"rel_error": 0.0}, {"rel_error": 1.0}, {"max_words": 0}])
    def test_refuse_impossible_budgets(self, bad):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Budget(**bad)


class TestAgreesWithTheory:
    """At false-alarm rate 1e-5 a point; seeds are fixed."""

    @pytest.mark.parametrize("case", [*CASES, jammed(0.1, TwoPointPolicy)])
    def test_at_every_point(self, case):
        assert all(verdict(row) == "agrees" for row in sweep([case]))

    def test_on_real_images(self):
        source, noise = Images(), 1.1
        link = Link(source, KLT(source, noise), AWGN(noise))
        values = source.karhunen_loeve[0]
        powers = link.codec.powers.double().numpy()
        exact = float((values * noise / (noise + powers)).sum() / source.k)
        mse, psnr = sweep([Case(link, exact={"mse": exact, "psnr": exact})], Budget(rel_error=0.005))
        assert verdict(mse) == verdict(psnr) == "agrees"
        assert psnr.low < psnr.mean < psnr.high

    def test_and_would_notice_three_per_cent(self):
        case = Case(jammed(0.1).link, exact={"mse": 0.97 * float(scalar_payoff(1, 1, 1, 0.1))})
        assert verdict(next(sweep([case]))) == "disagrees"
        wrong = Case(flipped(0.1).link, exact={"ber": 1.03 * 0.149})
        assert verdict(next(sweep([wrong], Budget(rel_error=0.005)))) == "disagrees"


def test_longer_words_of_bits_have_both_error_rates():
    rows = list(sweep([Case(Link(Bits(4), Repetition(4, 1), BSC(0.1)), exact={"ber": 0.1, "bler": 1 - 0.9**4})]))
    assert [row.metric for row in rows] == [metric.name for metric in metrics_for(Bits(4))] == ["bler", "ber"]
    assert all(verdict(row) == "agrees" for row in rows)
