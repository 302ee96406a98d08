"""Blocks of words that own their seeds, simulated here or by workers."""

import math
import pickle
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from typing import Protocol

import torch

from channels import Channel
from jscc_sim.codecs import Codec
from jscc_sim.link import Transmission
from jscc_sim.metrics import Metric
from jscc_sim.seeds import seeded
from jscc_sim.sources import Source
from jscc_sim.store import Block
from jscc_sim.tally import Tally

# Enough for the workers to share evenly, few enough that sending them costs nothing.
TASKS = 16
# What a kill may cost, per worker.
MOST_PER_TASK = 256
# At most 32 MiB, beyond which glibc learns nothing.
LARGE_PIECE = 2**24


class Sender(Protocol):
    """What blocks are made of: a `Link`, or what an estimator sends in its place."""

    @property
    def source(self) -> Source:
        """What draws the words."""

    @property
    def codec(self) -> Codec:
        """What encodes and decodes them."""

    @property
    def channel(self) -> Channel:
        """What they pass through."""

    def transmit(self, words: int) -> Transmission:
        """So many words, from torch's generator."""


def simulate(
    link: Sender, metrics: Sequence[Metric], words: int, seed: int, blocks: Iterable[int]
) -> Iterator[tuple[int, Block]]:
    """Send each of ``blocks`` (``words`` words each) and yield its number with one tally per metric.

    Block i depends on ``(link, words, seed, i)`` alone. It runs on one thread, so that sums do not depend on the cores.
    """
    # One large piece of memory, taken and freed, tells glibc to keep what is freed afterwards. Otherwise it gives every
    # block's tensors back to the system, and fetching them again took up to half of a worker's time.
    torch.empty(LARGE_PIECE, dtype=torch.uint8)
    for block in blocks:
        with seeded(block_seed(seed, block)), torch.no_grad():
            tallies = _tallies(link.transmit(words), metrics)
        _check_finite(tallies, link, block)
        yield block, tallies


def _tallies(sent: Transmission, metrics: Sequence[Metric]) -> Block:
    return {metric.name: Tally.of(metric.score(sent), metric.errors) for metric in metrics}


def _check_finite(tallies: Block, link: Sender, block: int) -> None:
    for name, found in tallies.items():
        if not math.isfinite(found.total):
            raise ValueError(
                f"{type(link.codec).__name__} has {name} {found.total} in block {block}: not a finite number"
            )


def block_seed(seed: int, block: int) -> int:
    """A different seed for each block of a case.

    Torch's generator takes 32 bits of a seed, among which hashes of many blocks would collide; an odd stride does not.
    The upper bits of the case's seed make a stride of its own, so that no two cases share a run of blocks.
    """
    return (seed + block * (seed >> 32 | 1)) % 2**32


def run_blocks(
    link: Sender,
    metrics: Sequence[Metric],
    words: int,
    seed: int,
    blocks: Sequence[int],
    *,
    executor: Executor | None = None,
) -> Iterator[tuple[int, Block]]:
    """As `simulate`, here or on an executor; in order."""
    finished: dict[int, Block] = {}
    wanted = iter(blocks)
    index = next(wanted, None)
    for number, block in run_unordered(link, metrics, words, seed, blocks, executor=executor):
        finished[number] = block
        while index in finished:
            yield index, finished.pop(index)
            index = next(wanted, None)


def run_unordered(
    link: Sender,
    metrics: Sequence[Metric],
    words: int,
    seed: int,
    blocks: Sequence[int],
    *,
    executor: Executor | None = None,
) -> Iterator[tuple[int, Block]]:
    """As `simulate`, here or on an executor; as they are finished, those too that are when a worker fails."""
    if executor is None:
        yield from simulate(link, metrics, words, seed, blocks)
        return
    _check_pickled(link)
    # As bytes, which Dask's scheduler passes on: it would unpickle a link, without the user's modules.
    packed = pickle.dumps((link, metrics))
    size = min(MOST_PER_TASK, -(-len(blocks) // TASKS))
    tasks = [blocks[start : start + size] for start in range(0, len(blocks), size)]
    pending = {executor.submit(_task, packed, words, seed, sys.path, task) for task in tasks}
    try:
        for future in as_completed(set(pending)):
            results = future.result()
            pending.discard(future)
            yield from results
    except Exception:
        for future in pending:
            if future.done() and not future.cancelled() and future.exception() is None:
                yield from future.result()
        raise
    finally:
        for future in pending:
            future.cancel()


def _check_pickled(link: Sender) -> None:
    """ValueError that names the part of a link which cannot be sent to another process."""
    for name, part in (("source", link.source), ("codec", link.codec), ("channel", link.channel)):
        try:
            pickle.dumps(part)
        except Exception as error:  # whatever a user's __reduce__ or a lambda within may raise
            raise ValueError(
                f"the {name} {type(part).__name__} cannot be sent to a worker ({error}): use --workers 1, or "
                "keep lambdas and open files out of it"
            ) from None


def _task(packed: bytes, words: int, seed: int, path: Sequence[str], blocks: Sequence[int]) -> list[tuple[int, Block]]:
    """The blocks as simulated by a worker, which searches the parent's ``path`` for a user's own modules."""
    sys.path += [folder for folder in path if folder not in sys.path]
    try:
        link, metrics = pickle.loads(packed)  # noqa: S301  # run_blocks packed it
    except Exception as error:  # whatever importing a user's module may raise
        raise ValueError(
            f"a worker cannot rebuild the link ({error}): define its parts in modules that workers can import"
        ) from None
    return list(simulate(link, metrics, words, seed, blocks))
