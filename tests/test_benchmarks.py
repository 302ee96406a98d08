"""What benchmarks come to: tables and figures show what there is."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jscc_sim import deepjscc
from jscc_sim.bits import Recipe, Study
from jscc_sim.data.parts import Part, Parts
from jscc_sim.separation import Mode

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import bench_bits
import bench_images
import rivals


class TestTable:
    """Of codecs of bits: a row for each channel and objective, over seeds."""

    @staticmethod
    def result(seed, **more):
        return {"bits": 100, "channel": "bsc", "at": 0.1, "flips": None, "objective": "necst", "seed": seed} | more

    def test_shows_mean_and_spread_of_what_there_is(self):
        rows = [self.result(0, test_sse=10.0), self.result(1, test_sse=12.0), self.result(0, at=0.2, test_sse=0.25)]
        heads, _, first, second = bench_bits.table(rows, {"SSE": "test_sse", "searched": "nowhere"}).splitlines()
        assert heads == "| channel | objective | SSE |"
        assert first == "| 100 bits, bsc 0.1 | necst | 11.00 ± 1.41 |"
        assert second == "| 100 bits, bsc 0.2 | necst | 0.2500 |"

    def test_parts_have_studies_of_their_own(self):
        for part, studies in bench_bits.PARTS.items():
            names = [study.name for seed in (0, 1) for study in studies(seed)]
            assert len(names) == len(set(names)), part


class TestBits:
    """What a codec of bits comes to in a benchmark: tiny ones of small pictures, in this process."""

    @pytest.fixture
    def results(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(0)
        bright = rng.integers(0, 200, (3, 60, 1, 1))
        pictures = (bright + rng.integers(0, 50, (3, 60, 6, 6))).astype(np.uint8)
        parts = Parts(*map(Part, pictures, (bright.reshape(3, 60) > 99).astype(np.uint8)))
        monkeypatch.setattr(bench_bits, "parts_of", lambda data: parts)
        monkeypatch.setattr("jscc_sim.bits.scrutiny.TAUGHT", 5)
        tiny = Study("mnist", 100, recipe=Recipe("paper", epochs=2, batch=20))
        studies = [tiny, replace(tiny, objective="necst"), replace(tiny, channel="bec")]
        return [json.loads(json.dumps(bench_bits.attempt(study, tmp_path / study.name))) for study in studies]

    def test_all_tables_have_what_they_show(self, results, capsys):
        bench_bits.show(results[:2])
        said = capsys.readouterr().out
        for shown in (
            "SSE, sampled",
            "greedy-10",
            "steepest-5",
            "TC, argmax",
            "posterior mean",
            "R(0.5)",
            "| IABF | 13.251",
        ):
            assert shown in said

    def test_figures_have_all_lines(self, results):
        (axes,) = bench_bits.over_erasures(results[2:]).axes
        assert [line.get_label() for line in axes.lines] == [
            "trained at each",
            "trained at 0.1",
            "a Gaussian source of the images' covariance, at capacity",
        ]
        (axes,) = bench_bits.over_epochs(results).axes
        assert [line.get_label() for line in axes.lines] == ["straight-through", "necst"]


class TestImages:
    """What DeepJSCC and its rivals come to in a benchmark: a tiny one of small pictures, in this process."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 256, (3, 80, 2, 2, 3))
        parts = Parts(*(Part(np.kron(one, np.ones((1, 4, 4, 1))).astype(np.uint8)) for one in coarse))
        for module in (bench_images, rivals):
            monkeypatch.setattr(module, "parts_of", lambda data: parts)
        monkeypatch.setattr("jscc_sim.separation.baseline.modes", lambda uses: (Mode(uses, 2 * uses, "qpsk"),))
        monkeypatch.setattr(rivals, "DESIGNS", (7.0,))
        monkeypatch.setattr(rivals, "ROTATED", 4)
        rivals.covariant.cache_clear()

    def conducted(self, attempt, part, tmp_path):
        tiny = deepjscc.Recipe("residual", epochs=1, batch=40, decay=0.0, optimiser="muon")
        planned = [
            replace(study, recipe=replace(tiny, net=study.recipe.net))
            for study in bench_images.PARTS[part](0)
            if study.data == "cifar10"
        ][:2]
        studies = {f"{part}/{study.name}": study for study in planned}
        results = [{"name": name, **attempt(study, tmp_path / name)} for name, study in studies.items()]
        beside = {
            name: rivals.measured(replace(setting, images=64, blocks=20, levels=(4.0, 10.0)), tmp_path / name)
            for name, setting in bench_images.settings(studies, quick=True).items()
        }
        return results, [*beside.values()]

    def test_tables_and_figures_have_what_they_show(self, tmp_path, capsys):
        results, beside = self.conducted(bench_images.attempt, "fixed", tmp_path)
        assert all(abs(one["delivered_db"] - level) < 0.1 for one, level in zip(results, (1.0, 7.0), strict=True))
        bench_images.show("fixed", results, beside, tmp_path)
        said = capsys.readouterr().out
        for shown in (
            "| 1 | 4 | 7 | 10 |",
            "told another SNR",
            "at capacity",
            "lost_most",
            "webp",
            "best linear codec",
        ):
            assert shown in said
        assert (tmp_path / "images_fixed_cifar10_1in6.png").exists()

    @pytest.mark.slow
    def test_all_systems_meet_jammers(self, tmp_path, capsys):
        results, beside = self.conducted(bench_images.jammed, "jammer", tmp_path)
        bench_images.show("jammer", results, beside, tmp_path)
        assert (tmp_path / "images_jammer_cifar10_jammed.png").exists()
        rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| 0, ", "| 5, "))]
        assert len(rows) == 2 * 4  # the codec, the linear one, files for noise and for the worst
        for line in rows:
            cells = dict(zip(bench_images.JAMMERS, line.split("|")[2:-1], strict=True))
            psnr = {kind: float(cell) for kind, cell in cells.items() if cell.strip() != "–"}
            missing = {"aimed", "audit", "rotated"} if "files" in line else {"aimed"} if "linear" in line else set()
            assert cells.keys() - psnr.keys() == missing
            assert psnr["worst"] <= min(psnr["gaussian"], psnr["learned"]) or "files" in line

    @pytest.mark.slow
    def test_the_papers_net_meets_jammers_of_all_powers_and_none_that_aims(self, tmp_path, capsys):
        results, beside = self.conducted(bench_images.jammed, "paper", tmp_path)
        one, ten = (result["jammed"] for result in results)
        assert not one  # it is met at 10 dB
        assert [*ten] == ["0", "5", "10"]
        assert all(found.keys() == {"gaussian", "audit", "worst", "rotated"} for found in ten.values())
        bench_images.show("paper", results, beside, tmp_path)
        assert "| 5, DeepJSCC (paper), learned over noise |" in capsys.readouterr().out
        assert (tmp_path / "images_paper_cifar10_jammed.png").exists()
