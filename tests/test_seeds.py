"""Torch's generator for oneself: the seed alone decides, and nobody outside notices."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from jscc_sim.seeds import seeded


def drawn(seed: int) -> torch.Tensor:
    with seeded(seed):
        return torch.randn(1000)


def test_the_seed_alone_decides():
    torch.manual_seed(99)
    first = drawn(7)
    torch.randn(5)
    assert torch.equal(drawn(7), first)
    assert not torch.equal(drawn(8), first)


@pytest.mark.parametrize("fails", [False, True])
def test_generator_and_threads_are_as_before_even_after_an_error(fails):
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    torch.manual_seed(1)
    expected = torch.randn(3)
    torch.manual_seed(1)
    try:
        try:
            with seeded(5):
                assert torch.get_num_threads() == 1
                torch.randn(10)
                if fails:
                    raise KeyError
        except KeyError:
            assert fails
        assert torch.get_num_threads() == 3
        assert torch.equal(torch.randn(3), expected)
    finally:
        torch.set_num_threads(threads)


def test_threads_wait_for_one_another():
    """Four threads that draw bit by bit still draw what each would draw alone."""
    meet = threading.Barrier(4)

    def slowly(seed: int) -> list[float]:
        meet.wait()
        with seeded(seed):
            return [float(torch.rand(())) for _ in range(200)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(slowly, range(4)))
    alone = []
    for seed in range(4):
        with seeded(seed):
            alone.append([float(torch.rand(())) for _ in range(200)])
    assert together == alone


def test_may_be_nested():
    with seeded(1):
        first = torch.rand(())
        drawn(2)
        second = torch.rand(())
    assert torch.equal(torch.stack([first, second]), _two(1))


def _two(seed: int) -> torch.Tensor:
    with seeded(seed):
        return torch.stack([torch.rand(()), torch.rand(())])
