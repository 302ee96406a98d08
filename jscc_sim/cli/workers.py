"""Who measures: this process, fresh ones, or a running Dask cluster."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor


@contextmanager
def workers_or_cluster(workers: int, scheduler: str | None) -> Iterator[Executor | None]:
    """None for one worker, fresh processes for several, or a running Dask cluster."""
    if scheduler:
        with _cluster(scheduler) as executor:
            yield executor
    elif workers > 1:
        with _processes(workers) as executor:
            yield executor
    else:
        yield None


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """Fresh processes; an interrupt reaches the parent alone, which cancels what waits and ends what is at work."""
    import multiprocessing
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_serve)
    try:
        yield pool
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    except BrokenExecutor:
        raise click.ClickException("a worker died, perhaps for want of memory: try fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _serve() -> None:
    """In a worker: leave interrupts to the parent, and end with it, however it ends."""
    import multiprocessing
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """The workers of the Dask scheduler at ``address``."""
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise click.ClickException("--scheduler needs Dask: pip install 'jscc-sim[cluster]'") from None
    try:
        client = Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise click.ClickException(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise click.ClickException(f"the Dask scheduler at {address} has no workers: start some with 'dask worker'")
        try:
            yield client.get_executor()  # type: ignore[no-untyped-call]
        except KilledWorker as error:
            raise click.ClickException(f"a Dask worker died: {error}") from None
