"""The simulator: the same bits whatever the workers, the order, the kills; and it agrees with exact values.

What needs other processes is in test_montecarlo_processes.py.
"""

import random
import re
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from channels import AWGN, BEC, BSC, BitFlip, GaussianPolicy, Jammer, TwoPointPolicy
from jscc_sim import blocks as blocks_module
from jscc_sim import montecarlo
from jscc_sim.blocks import block_seed, run_blocks, simulate
from jscc_sim.case import Case
from jscc_sim.catalog import Request, make_cases
from jscc_sim.cli import main
from jscc_sim.codecs import HAMMING_7_4, KLT, BlockCode, Linear, NeuralCodec, Repetition
from jscc_sim.exact import exact_values
from jscc_sim.link import Link
from jscc_sim.metrics import MSE, metrics_for
from jscc_sim.montecarlo import (
    MOST_BLOCKS,
    PILOT_BLOCKS,
    Budget,
    Row,
    case_seed,
    rows_of,
    sweep,
)
from jscc_sim.sources import Bits, Gaussian, Images
from jscc_sim.store import Store
from jscc_sim.theory.coding import repetition_error
from jscc_sim.theory.saddle import scalar_payoff
from jscc_sim.verify import verdict


class Slow(Linear):
    """Has blocks of 1,024 words, so that a precise mean needs many of them."""

    cost = 64


class AtOnce(Executor):
    """Works when it is asked, so that answers have no order; one task may fail."""

    def __init__(self, fails: int = 0) -> None:
        self.asked, self.fails = 0, fails

    def submit(self, task, *parts):
        self.asked += 1
        future = Future()
        if self.asked == self.fails:
            future.set_exception(OSError("a worker died"))
        else:
            future.set_result(task(*parts))
        return future


def jammed(noise_power: float, policy=GaussianPolicy, codec=Linear) -> Case:
    link = Link(Gaussian(), codec(), Jammer(policy(), noise_power)).eval()
    return Case(link, {"noise": noise_power}, {"mse": float(scalar_payoff(1, 1, 1, noise_power))})


def flipped(p: float) -> Case:
    link = Link(Bits(), Repetition(), BitFlip(BEC(p), 1))
    return Case(link, {"p": p}, {"ber": repetition_error(3, erase=p, flips=1)})


def coded(p: float) -> Case:
    """Two error rates, of words and of bits."""
    return Case(Link(Bits(4), BlockCode(HAMMING_7_4), BSC(p)), {"p": p})


CASES = [jammed(0.1), jammed(1.0, codec=Slow), flipped(0.1), flipped(0.01), coded(0.05)]
BUDGET = Budget(rel_error=0.02)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(sweep(CASES, BUDGET))


@pytest.fixture
def simulated(monkeypatch) -> list[tuple[float, int]]:
    """The blocks that are simulated, as (key of the case, number)."""
    found = []

    def noted(link, metrics, words, seed, blocks):
        for block, tallies in simulate(link, metrics, words, seed, blocks):
            found.append((seed, block))
            yield block, tallies

    monkeypatch.setattr(blocks_module, "simulate", noted)
    return found


def interrupted(cases: list[Case], budget: Budget, path, blocks: int) -> None:
    """A run that is stopped after so many blocks."""
    heard = []

    def stop(words, planned):
        heard.append(words)
        if len(heard) == blocks:
            raise KeyboardInterrupt

    with Store(path) as store, pytest.raises(KeyboardInterrupt):
        list(sweep(cases, budget, store=store, progress=stop))


class TestReproducesBitForBit:
    def test_in_threads(self, rows):
        with ThreadPoolExecutor(4) as pool:
            assert list(sweep(CASES, BUDGET, executor=pool)) == rows

    def test_in_any_order(self, rows):
        order = list(range(len(CASES)))
        random.Random(0).shuffle(order)  # noqa: S311  # no secret
        shuffled = list(sweep([CASES[number] for number in order], BUDGET))
        assert sorted(shuffled, key=rows.index) == rows
        assert shuffled != rows

    @pytest.mark.parametrize("number", range(len(CASES)))
    def test_alone(self, rows, number):
        assert list(sweep(CASES[number : number + 1], BUDGET)) == [row for row in rows if row.key == CASES[number].key]

    @pytest.mark.parametrize("threads", [1, 3])
    def test_whatever_the_threads_and_the_generator(self, rows, threads):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        torch.manual_seed(99)
        try:
            assert list(sweep(CASES[:3], BUDGET)) == rows[:3]
            assert torch.get_num_threads() == threads
            link = Link(Gaussian(64), Linear(64), AWGN(0.1))  # large enough for torch to share it out
            ((_, block),) = simulate(link, [MSE], 4096, 7, [3])
            torch.set_num_threads(4 - threads)
            assert list(simulate(link, [MSE], 4096, 7, [3])) == [(3, block)]
        finally:
            torch.set_num_threads(before)

    def test_on_an_executor_that_answers_in_any_order(self, rows):
        assert list(sweep(CASES, BUDGET, executor=AtOnce())) == rows
        link, words = CASES[1].link, CASES[1].words_per_block
        alone, shared = (
            list(run_blocks(link, [MSE], words, 7, range(5, 60), executor=executor)) for executor in (None, AtOnce())
        )
        assert [number for number, _ in shared] == list(range(5, 60))
        assert shared == alone

    @pytest.mark.parametrize("blocks", [1, 17, 40, 100])
    def test_from_a_store_that_knows_some_blocks(self, rows, tmp_path, blocks, simulated):
        path = tmp_path / "store.jsonl"
        interrupted(CASES, BUDGET, path, blocks)
        assert Store.open(path).count() == blocks
        with Store(path) as store:
            assert list(sweep(CASES, BUDGET, store=store)) == rows
        assert len(set(simulated)) == len(simulated)  # no block twice
        before, size = len(simulated), path.stat().st_size
        with Store(path) as store:
            assert list(sweep(CASES, BUDGET, store=store)) == rows
            assert list(rows_of(store)) == rows
        assert (len(simulated), path.stat().st_size) == (before, size)

    def test_from_a_store_without_its_last_bytes(self, rows, tmp_path):
        path = tmp_path / "store.jsonl"
        with Store(path) as store:
            list(sweep(CASES, BUDGET, store=store))
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.warns(UserWarning, match="incomplete"), Store(path) as store:
            assert list(sweep(CASES, BUDGET, store=store)) == rows


class TestStores:
    """What is known is not simulated again."""

    @pytest.mark.parametrize("case", [jammed(1.0, codec=Slow), flipped(0.3), coded(0.01)])
    def test_extend_to_a_tighter_target(self, tmp_path, simulated, case):
        fresh = list(sweep([case], Budget(rel_error=0.01)))
        needed = len(simulated)
        simulated.clear()
        with Store(tmp_path / "s") as store:
            loose = list(sweep([case], Budget(rel_error=0.05), store=store))
            assert fresh[0].words > loose[0].words
            assert list(sweep([case], Budget(rel_error=0.01), store=store)) == fresh
            assert list(sweep([case], Budget(rel_error=0.05), store=store)) == loose
        assert len(set(simulated)) == len(simulated) == needed

    def test_extend_to_more_words(self, tmp_path, simulated):
        case = jammed(1.0)
        with Store(tmp_path / "s") as store:
            list(sweep([case], Budget(words=1), store=store))
            assert len(simulated) == PILOT_BLOCKS
            many = list(sweep([case], Budget(words=40 * case.words_per_block), store=store))
        assert [block for _, block in simulated] == list(range(40))
        assert many == list(sweep([case], Budget(words=40 * case.words_per_block)))

    def test_merge_and_simulate_what_is_missing(self, rows, tmp_path, simulated):
        """One machine was stopped early, another measured other points and one of the same."""
        interrupted(CASES[:2], BUDGET, tmp_path / "one", 10)
        with Store(tmp_path / "two") as store:
            list(sweep(CASES[2:4], BUDGET, store=store))
        interrupted(CASES[1:2], BUDGET, tmp_path / "three", 20)
        known = {path: Store.open(tmp_path / path).count() for path in ("one", "two", "three")}
        with Store(tmp_path / "all") as store:
            store.merge([Store.open(tmp_path / path) for path in known])
            assert store.count() == sum(known.values())
            simulated.clear()
            assert list(sweep(CASES, BUDGET, store=store)) == rows
            assert len(simulated) == store.count() - sum(known.values())

    @pytest.mark.parametrize("fails", [1, 8, 15])
    def test_keep_what_others_finished_when_a_task_fails(self, rows, tmp_path, fails):
        """Whichever task it is, and in whatever order the answers come: 15 tasks of two blocks."""
        with Store(tmp_path / "s") as store, pytest.raises(OSError, match="a worker died"):
            list(sweep(CASES[:1], BUDGET, store=store, executor=AtOnce(fails)))
        with Store(tmp_path / "s") as store:
            assert store.count() == 28
            assert list(sweep(CASES[:1], BUDGET, store=store)) == rows[:1]

    def test_fill_gaps(self, tmp_path, simulated):
        case = jammed(1.0)
        whole = list(sweep([case]))
        with Store(tmp_path / "all") as store:
            list(sweep([case], store=store))
        lines = (tmp_path / "all").read_text().splitlines(keepends=True)
        (tmp_path / "all").write_text("".join([*lines[:5], *lines[9:11], *lines[14:-1]]))
        simulated.clear()
        with Store(tmp_path / "all") as store:
            assert list(sweep([case], store=store)) == whole
        assert [block for _, block in simulated] == [3, 4, 5, 6, 9, 10, 11]

    def test_keep_seeds_and_parameters_apart(self, tmp_path):
        with Store(tmp_path / "s") as store:
            for seed in (0, 1):
                list(sweep([jammed(1.0), jammed(0.9)], BUDGET, store=store, seed=seed))
        found = Store.open(tmp_path / "s")
        assert len(found.cases) == 4
        assert {record["seed"] for record in found.cases.values()} == {0, 1}
        assert all(
            name.startswith(case.key) for name, case in zip(found.cases, [jammed(1.0), jammed(0.9)], strict=False)
        )

    def test_say_where_numbers_come_from(self, tmp_path):
        case = jammed(1.0)
        with Store(tmp_path / "s") as store:
            list(sweep([case], BUDGET, store=store, seed=5))
        (record,) = Store.open(tmp_path / "s").cases.values()
        assert record["link"] == repr(case.link)
        assert (record["seed"], record["labels"], record["exact"]) == (5, {"noise": 1.0}, dict(case.exact))
        assert record["versions"].keys() >= {"jscc-sim", "torch", "numpy", "python", "machine"}

    def test_are_not_written_unless_asked(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        list(sweep(CASES[:1], BUDGET))
        assert main(["sweep", "--channel", "awgn", "--snr", "0"]) == 0
        assert list(tmp_path.iterdir()) == []

    def test_that_are_damaged_are_named(self, tmp_path):
        with Store(tmp_path / "s") as store:
            list(sweep(CASES[:1], BUDGET, store=store))
        text = (tmp_path / "s").read_text()
        (tmp_path / "s").write_text(text.replace('"high"', '"hihg"'))
        with pytest.raises(ValueError, match=rf"{tmp_path / 's'}: a row of case .* is damaged"):
            list(rows_of(Store.open(tmp_path / "s")))


class TestCommands:
    """``show``, ``merge`` and ``plot`` of stores; every refusal is one line and exit code 2."""

    @pytest.fixture
    def stores(self, tmp_path):
        """One whole, one of a run that never ended."""
        cases = make_cases(Request("awgn", snr_db=(0.0, 5.0, 10.0)))
        with Store(tmp_path / "whole") as store:
            list(sweep(cases[:2], store=store))
        interrupted(cases[2:], Budget(), tmp_path / "part", 7)
        return [str(tmp_path / name) for name in ("whole", "part")]

    def test_show_what_is_known(self, stores, capsys):
        assert main(["show", *stores]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "gaussian over awgn, seed 0"
        assert [line.split()[2] for line in lines[2:]] == ["0", "5", "10"]
        assert [line.split()[-1] for line in lines[2:]] == ["agrees", "agrees", "incomplete"]

    def test_show_the_unfinished_as_such(self, stores):
        (row,) = rows_of(Store.open(stores[1]))
        case = make_cases(Request("awgn", snr_db=(10.0,)))[0]
        (blocks,) = (store.blocks(name) for store in [Store.open(stores[1])] for name in store.cases)
        known = montecarlo.tally.mean([block["mse"] for block in blocks.values()])
        assert (row.complete, row.words, row.key) == (False, 7 * case.words_per_block, case.key)
        assert (row.mean, row.low, row.high) == (known.mean, known.low, known.high)

    def test_merge(self, stores, tmp_path, capsys):
        out = tmp_path / "all"
        assert main(["merge", *stores, "--out", str(out)]) == 0
        assert capsys.readouterr().err == f"{out}: 67 blocks of 3 cases\n"
        assert main(["sweep", "--channel", "awgn", "--snr", "0:10:5", "--store", str(out), "--json"]) == 0
        merged = capsys.readouterr().out
        assert main(["sweep", "--channel", "awgn", "--snr", "0:10:5", "--json"]) == 0
        assert capsys.readouterr().out == merged
        assert Store.open(out).count() == 90

    def test_refuse_to_merge_what_disagrees(self, stores, tmp_path, capsys):
        other = tmp_path / "other"
        text = (tmp_path / "part").read_text()
        first = text.splitlines()[2]
        other.write_text(text.replace(first, re.sub(r"\[(\d+), ", r"[\1, 1", first)))
        assert main(["merge", stores[1], str(other), "--out", str(tmp_path / "all")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"Error: {other} and {stores[1]} know block 0 of case" in line

    def test_plot(self, stores, tmp_path):
        figure = tmp_path / "figure.png"
        assert main(["plot", *stores, "--out", str(figure)]) == 0
        assert figure.read_bytes()[:4] == b"\x89PNG"

    @pytest.mark.parametrize("command", [["show"], ["plot", "--out", "x.png"], ["merge", "--out", "x"]])
    @pytest.mark.parametrize(
        ("text", "said"), [("notes", "is not a store"), (None, "no store at"), ("", "it is empty")]
    )
    def test_refuse_what_is_no_store(self, tmp_path, monkeypatch, capsys, command, text, said):
        monkeypatch.chdir(tmp_path)
        if text is not None:
            (tmp_path / "bad").write_text(text)
        assert main([*command, "bad"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
        assert not (tmp_path / "x").exists()

    def test_sweeps_name_a_damaged_store(self, stores, tmp_path, capsys):
        lines = (tmp_path / "part").read_text().splitlines(keepends=True)
        (tmp_path / "part").write_text("".join([*lines[:3], lines[3][:20] + "\n", *lines[4:]]))
        before = (tmp_path / "part").read_bytes()
        assert main(["sweep", "--channel", "awgn", "--store", stores[1]]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"Error: {stores[1]}, line 4, is damaged")
        assert (tmp_path / "part").read_bytes() == before

    def test_show_links_with_labels_of_ones_own(self, tmp_path, capsys):
        with Store(tmp_path / "s") as store:
            list(sweep(CASES[:1], BUDGET, store=store))
        assert main(["show", str(tmp_path / "s")]) == 0
        assert "noise 0.1" in capsys.readouterr().out
        assert main(["plot", str(tmp_path / "s"), "--out", str(tmp_path / "x.png")]) == 2
        assert "no place on a horizontal axis" in capsys.readouterr().err


class TestSeeds:
    def test_matter(self, rows):
        assert next(iter(sweep(CASES, BUDGET, seed=1))).mean != rows[0].mean

    def test_of_blocks_never_collide(self):
        assert len({block_seed(12345, block) for block in range(200_000)}) == 200_000

    def test_of_cases_differ_in_every_parameter(self):
        linear = [Case(Link(Gaussian(), Linear(), AWGN(noise))) for noise in (0.1, 0.1 + 1e-15)]
        weights = [Case(Link(Gaussian(), NeuralCodec(hidden=2), AWGN(0.1))) for _ in range(2)]
        assert len({case.key for case in [*CASES, *linear, *weights]}) == 9

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
        for row in rows[2:5]:
            assert (row.high - row.low) / 2 <= 0.02 * row.mean

    @pytest.mark.parametrize("rel_error", [0.1, 0.03, 0.01, 0.005])
    def test_where_the_first_metric_is_narrow_enough_and_no_block_earlier(self, rel_error):
        case = flipped(0.1)
        (row,) = sweep([case], Budget(rel_error=rel_error))
        assert row.complete
        assert (row.high - row.low) / 2 <= rel_error * row.mean
        errors = row.mean * (row.words - case.words_per_block)  # about those of all blocks but the last
        assert row.words == case.words_per_block or errors < 1.1 * montecarlo.tally.errors_for(rel_error)

    def test_where_the_pilot_said(self):
        """Stein's interval: the pilot's variance, and the number of blocks that it asks for."""
        case, budget = jammed(1.0, codec=Slow), Budget(rel_error=0.01)
        own = case_seed(0, case.key)
        blocks = [block["mse"] for _, block in run_blocks(case.link, [MSE], case.words_per_block, own, range(200))]
        wanted = montecarlo.tally.blocks_for(blocks[:PILOT_BLOCKS], 0.01)
        (row,) = sweep([case], budget)
        expected = montecarlo.tally.mean(blocks[:wanted], PILOT_BLOCKS)
        assert PILOT_BLOCKS < wanted < 200
        assert (row.mean, row.low, row.high, row.words) == (expected.mean, expected.low, expected.high, expected.words)
        (fixed,) = sweep([case], Budget(words=row.words))
        assert (fixed.low, fixed.high) == (
            montecarlo.tally.mean(blocks[:wanted]).low,
            montecarlo.tally.mean(blocks[:wanted]).high,
        )

    def test_for_all_metrics_where_the_first_one_did(self):
        """Bits of a wrong word err together, so that their rate is known less well; nobody gave up all the same."""
        found = list(sweep([coded(0.002)]))
        assert [row.complete for row in found] == [True, True]
        assert found[0].words == found[1].words
        given_up = list(sweep([coded(0.002)], Budget(max_words=1)))
        assert [row.complete for row in given_up] == [False, False]

    def test_refuse_what_would_never_end(self):
        with pytest.raises(ValueError, match="ask for fewer, or a larger rel_error"):
            list(sweep([jammed(1.0)], Budget(rel_error=1e-9)))
        with pytest.raises(ValueError, match="ask for fewer"):
            list(sweep([jammed(1.0)], Budget(words=10**15)))

    def test_hear_how_far_they_are(self):
        heard = []
        case = jammed(1.0)
        list(sweep([case], progress=lambda done, planned: heard.append((done, planned))))
        words = case.words_per_block
        assert heard == [(number * words, 30 * words) for number in range(1, 31)]

    def test_fixed_words_round_up_to_whole_blocks(self):
        case = flipped(0.1)
        (row,) = sweep([case], Budget(words=case.words_per_block + 1))
        assert row.words == 2 * case.words_per_block

    def test_hopeless_error_rates_give_up(self):
        (row,) = sweep([Case(Link(Bits(), Repetition(), BSC(0.0)))])
        assert row.words == MOST_BLOCKS * flipped(0.1).words_per_block
        assert row.mean == 0 < row.high < 1e-6

    @pytest.mark.parametrize(
        "bad", [{"words": 0}, {"rel_error": 0.0}, {"rel_error": 1.0}, {"rel_error": float("nan")}, {"max_words": 0}]
    )
    def test_refuse_impossible_budgets(self, bad):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Budget(**bad)


class TestAgreesWithTheory:
    """At false-alarm rate 1e-5 a point; seeds are fixed."""

    @pytest.mark.parametrize("case", [*CASES[:4], jammed(0.1, TwoPointPolicy)])
    def test_at_every_point(self, case):
        assert all(verdict(row) == "agrees" for row in sweep([case]))

    def test_on_real_images(self):
        source, noise = Images(), 1.1
        link = Link(source, KLT(source, noise), AWGN(noise))
        values = source.karhunen_loeve[0]
        powers = link.codec.powers.double().numpy()
        exact = float((values * noise / (noise + powers)).sum() / source.k)
        mse, psnr, of_mse = sweep([Case(link, exact={"mse": exact, "psnr_of_mse": exact})], Budget(rel_error=0.005))
        assert verdict(mse) == verdict(of_mse) == "agrees"
        assert of_mse.low < of_mse.mean < of_mse.high < psnr.low  # by Jensen's inequality

    def test_on_black_and_white_images(self, tmp_path):
        for number, pixels in enumerate(np.random.default_rng(0).integers(0, 2, (20, 3, 3), dtype=np.uint8)):
            Image.fromarray(pixels * 255).save(tmp_path / f"{number:02}.png")
        source = Images(str(tmp_path))
        link = Link(source, KLT(source, 1.1), AWGN(1.1))
        mse, _, of_mse, nats = sweep([Case(link, exact=exact_values(link))], Budget(rel_error=0.005))
        assert verdict(mse) == verdict(of_mse) == "agrees"
        assert (nats.metric, nats.exact, nats.complete) == ("nats", None, True)
        assert 0 < nats.low < nats.mean < nats.high

    def test_and_would_notice_three_per_cent(self):
        case = Case(jammed(0.1).link, exact={"mse": 0.97 * float(scalar_payoff(1, 1, 1, 0.1))})
        assert verdict(next(sweep([case]))) == "disagrees"
        wrong = Case(flipped(0.1).link, exact={"ber": 1.03 * 0.149})
        assert verdict(next(sweep([wrong], Budget(rel_error=0.005)))) == "disagrees"


def test_numbers_that_are_not_finite_are_an_error():
    class Odd(Linear):
        def decode(self, y, law):
            return y / 0

    with pytest.raises(ValueError, match=r"Odd has mse (inf|nan) in block 0: not a finite number"):
        list(sweep([Case(Link(Gaussian(), Odd(), AWGN(1.0)))]))


def test_a_case_is_the_same_under_another_name():
    case = flipped(0.1)
    (row,), (other,) = sweep([case]), sweep([replace(case, labels={"another": "name"})])
    assert replace(other, labels=row.labels) == row


def test_longer_words_of_bits_have_both_error_rates():
    rows = list(sweep([Case(Link(Bits(4), Repetition(4, 1), BSC(0.1)), exact={"ber": 0.1, "bler": 1 - 0.9**4})]))
    assert [row.metric for row in rows] == [metric.name for metric in metrics_for(Bits(4))] == ["bler", "ber"]
    assert all(verdict(row) == "agrees" for row in rows)


@pytest.mark.parametrize("k", [1, 4])
def test_soft_values_are_no_bits(k):
    class Soft(Repetition):
        def decode(self, y, law):
            return y.sigmoid()

    with pytest.raises(ValueError, match="neither 0 nor 1 where bits are due: decide soft values"):
        list(sweep([Case(Link(Bits(k), Soft(k, 1), AWGN(0.5)))]))


class Hidden(Linear):
    """A user's codec whose parameters its repr does not show."""

    def __init__(self, gain: float, offset: float = 0.0) -> None:
        super().__init__()
        self.gain = gain
        self.register_buffer("offset", torch.tensor(offset), persistent=False)


class TestKeys:
    def test_tell_apart_what_a_repr_does_not_show(self):
        codecs = [Hidden(0.9), Hidden(0.1), Hidden(0.9, offset=1.0), Linear()]
        laws = [AWGN(0.1, torch.tensor([gain])) for gain in (2.0, 3.0)]
        cases = [Case(Link(Gaussian(), codec, AWGN(0.1))) for codec in codecs]
        cases += [Case(Link(Gaussian(), Linear(), law)) for law in laws]
        assert len({case.key for case in cases}) == len(cases)
        assert Case(Link(Gaussian(), Hidden(0.9), AWGN(0.1))).key == cases[0].key

    def test_refuse_an_address(self):
        class Nameless(Gaussian):
            __repr__ = object.__repr__

        with pytest.raises(ValueError, match=r"Nameless object at 0x.*give the class a __repr__"):
            _ = Case(Link(Nameless(), Linear(), AWGN(0.1))).key

    def test_of_blocks_of_two_cases_have_no_run_in_common(self):
        one, other = 0x1234567800000005, 0x9ABCDEF100000005
        shared = {block_seed(one, block) for block in range(100_000)} & {
            block_seed(other, block) for block in range(100_000)
        }
        assert len(shared) < 50  # by chance 2.3, one of them the common first
