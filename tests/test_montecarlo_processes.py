"""Sweeps over several processes, killed and resumed, on a cluster, with workers that die: the same bits, nothing lost.

Every process imports torch, which takes seconds; so there are few of them here, each for several laws.
"""

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from test_montecarlo import BUDGET, coded, flipped, jammed

from channels import AWGN
from jscc_sim.case import Case
from jscc_sim.cli import main
from jscc_sim.codecs import Linear
from jscc_sim.link import Link
from jscc_sim.montecarlo import sweep
from jscc_sim.sources import Gaussian
from jscc_sim.store import Store

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "jscc_sim.cli", "sweep", "--channel", "jammer", "--codec", "linear", "--json"]
SWEEP = [*COMMAND, "--snr", "0:20:10", "--rel-error", "0.0015"]
MINE = """
import os
from jscc_sim.codecs import Linear

class Mine(Linear):
    \"\"\"Kills its worker after 20 blocks, as long as there is a file 'dying'; a lambda cannot be pickled.\"\"\"

    def __init__(self, k, n, odd=None):
        super().__init__(k, n)
        self._home, self.odd = os.getpid(), odd

    def encode(self, u):
        if os.getpid() != self._home and os.path.exists("dying"):
            with open("dying", "a") as counted:
                counted.write(".")
            if os.path.getsize("dying") > 20:
                os._exit(9)
        return u

def factory(k, n):
    return Mine(k, n)

def unpicklable(k, n):
    return Mine(k, n, odd=lambda: None)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a module of one's own."""
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("mine", None)


def test_four_fresh_processes_change_nothing():
    cases = [jammed(0.1), flipped(0.01), coded(0.05)]
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        assert list(sweep(cases, BUDGET, executor=pool)) == list(sweep(cases, BUDGET))


class TestKilled:
    def test_at_random_moments_and_resumed(self, tmp_path, capsys):
        """SIGKILL anywhere: before the store is there, between blocks, within a line. Fixed seed."""
        path, waits = tmp_path / "store.jsonl", random.Random(0)  # noqa: S311  # no secret
        assert main(SWEEP[3:]) == 0
        whole = capsys.readouterr().out
        counts = []
        for _ in range(3):
            run = subprocess.Popen([*SWEEP, "--store", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = path.stat().st_size if path.exists() else 0
            while run.poll() is None and not (path.exists() and path.stat().st_size > before):
                time.sleep(0.005)
            time.sleep(waits.uniform(0, 0.2))
            run.kill()
            run.wait()
            counts.append(path.read_bytes().count(b"\n"))
        assert counts == sorted(counts)
        assert main([*SWEEP[3:], "--store", str(path)]) == 0
        assert capsys.readouterr().out == whole
        lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
        blocks = [(line["of"], line["block"]) for line in lines if "block" in line]
        assert len(set(blocks)) == len(blocks)  # what a run had kept, the next did not simulate again

    def test_within_any_line(self, tmp_path):
        """Without a process: whatever a kill leaves of the file, the rest is simulated and the rows are the same."""
        case = jammed(0.5)
        with Store(tmp_path / "s") as store:
            whole = list(sweep([case], store=store))
        written, cuts = (tmp_path / "s").read_bytes(), random.Random(1)  # noqa: S311  # no secret
        for size in [cuts.randrange(len(written)) for _ in range(5)]:
            (tmp_path / "s").write_bytes(written[:size] + b'{"')
            with pytest.warns(UserWarning, match="incomplete") if size > 45 else pytest.MonkeyPatch.context():
                store = Store(tmp_path / "s").__enter__()
            assert list(sweep([case], store=store)) == whole
            store.__exit__(None, None, None)


class TestWorkers:
    """Of ``--workers 2``."""

    def test_that_die_end_in_one_line_and_lose_nothing(self, folder, capsys):
        command = ["sweep", "--channel", "awgn", "--snr", "0,10", "--codec", "mine:factory", "--source", "gaussian"]
        command += ["--json"]
        assert main(command) == 0
        whole = capsys.readouterr().out
        (folder / "dying").touch()
        assert main([*command, "--workers", "2", "--store", "s"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == "Error: a worker died, perhaps for want of memory: try fewer --workers"
        kept = Store.open("s").count()
        assert 5 <= kept <= 20
        (folder / "dying").unlink()
        assert main([*command, "--workers", "2", "--store", "s"]) == 0
        assert capsys.readouterr().out == whole
        assert Store.open("s").count() == 60

    def test_are_not_sent_what_cannot_be_pickled(self, folder, capsys):
        command = ["sweep", "--channel", "awgn", "--snr", "0", "--codec", "mine:unpicklable", "--source", "gaussian"]
        assert main([*command, "--workers", "2"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("Error: the codec Mine cannot be sent to a worker")
        assert "--workers 1" in line
        assert main(command) == 0

    def test_say_what_they_cannot_import(self, monkeypatch):
        """A class of a notebook or a script is known to the parent alone."""
        monkeypatch.setattr("__main__.Notebook", type("Notebook", (Linear,), {"__module__": "__main__"}), raising=False)
        link = Link(Gaussian(), sys.modules["__main__"].Notebook(), AWGN(1.0))
        pool = ProcessPoolExecutor(1, get_context("spawn"))
        with pool, pytest.raises(ValueError, match=r"a worker cannot rebuild the link \(.*Notebook"):
            list(sweep([Case(link)], executor=pool))

    @pytest.mark.parametrize("part", ["source", "codec", "channel"])
    def test_refuse_the_part_by_name(self, part):
        parts = {"source": Gaussian(), "codec": Linear(), "channel": AWGN(1.0)}
        parts[part].odd = lambda: None
        with ProcessPoolExecutor(1, get_context("spawn")) as pool, pytest.raises(ValueError, match=f"the {part} "):
            list(sweep([Case(Link(**parts))], executor=pool))


def test_memory_is_bounded_by_the_block():
    """Ten times the words in no more memory, but for some hundred bytes a block; tracemalloc does not see torch."""
    measure = """
import resource
from channels import AWGN
from jscc_sim.codecs import Linear
from jscc_sim.link import Link
from jscc_sim.case import Case
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.sources import Gaussian
case = Case(Link(Gaussian(), Linear(), AWGN(1.0)))
for blocks in (40, 400):
    list(sweep([case], Budget(words=blocks * case.words_per_block)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    ran = subprocess.run([sys.executable, "-c", measure], capture_output=True, text=True, check=True)
    first, second = map(int, ran.stdout.split())
    assert second - first < 3000  # kB


def test_a_full_disk_is_one_line_and_the_run_resumes(tmp_path, capsys):
    path = tmp_path / "s"
    limited = f"ulimit -f 4; exec {' '.join([*COMMAND, '--snr', '0,10', '--store', str(path)])}"
    ran = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (2, f"Error: {path}: File too large\n")
    kept = path.read_bytes()
    assert len(kept) == 4096
    command = ["sweep", "--channel", "jammer", "--codec", "linear", "--json", "--snr", "0,10"]
    assert main([*command, "--store", str(path)]) == 0
    printed = capsys.readouterr()
    assert printed.err == f"Warning: {path}: dropped an incomplete last line\n"
    assert path.read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    assert main(command) == 0
    assert capsys.readouterr().out == printed.out


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    dask, file = [sys.executable, "-m"], folder / "scheduler.json"
    serve = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    running = [subprocess.Popen([*dask, *serve, "--scheduler-file", str(file)], **quiet)]
    work = ["distributed.cli.dask_worker", "--scheduler-file", str(file), "--host", "127.0.0.1"]
    work += ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
    running += [subprocess.Popen([*dask, *work], **quiet) for _ in range(2)]
    try:
        while not file.exists() or not file.read_text().endswith("}"):
            assert running[0].poll() is None
            time.sleep(0.02)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in running[::-1]:
            process.kill()  # nothing to lose, and asked politely they wait for one another
        for process in running:
            process.wait()


class TestDask:
    """A scheduler and two workers, each a process of its own, on loopback."""

    def test_changes_nothing(self, address, folder, capsys):
        from distributed import Client

        cases = [jammed(0.1), flipped(0.1), flipped(0.01)]
        with Client(address, timeout=30) as client:
            client.wait_for_workers(2, timeout=60)
            pids = client.run(os.getpid)
            assert len(set(pids.values()) | {os.getpid()}) == 3
            assert list(sweep(cases, BUDGET, executor=client.get_executor())) == list(sweep(cases, BUDGET))
        # A user's own module is found by the workers, too.
        command = ["sweep", "--channel", "awgn", "--snr", "0,10", "--codec", "linear", "--codec", "mine:factory"]
        command += ["--source", "gaussian", "--json"]
        ran = [sys.executable, "-m", "jscc_sim.cli", *command, "--scheduler", address, "--store", "s"]
        far = subprocess.run(ran, capture_output=True, text=True, check=False, timeout=120)
        assert far.returncode == 0, far.stderr
        assert main(command) == 0
        assert capsys.readouterr().out == far.stdout
        assert Store.open("s").count() == 120
