"""Denormal numbers: none within, and outside as it was."""

import sys

import pytest
import torch

from jscc_sim.precision import no_denormals


def flushed():
    below = torch.full((40,), torch.finfo(torch.float32).tiny) / 2
    assert bool((below == 0).all()) == (sys.float_info.min / 2 == 0)
    return not below.any()


class TestNoDenormals:
    def test_are_zero_within_and_numbers_again_outside(self):
        assert not flushed()
        with no_denormals():
            assert flushed()
        assert not flushed()

    def test_stay_zero_where_they_were(self):
        with no_denormals():
            with no_denormals():
                assert flushed()
            assert flushed()
        assert not flushed()

    def test_are_numbers_again_after_an_error(self):
        with pytest.raises(RuntimeError), no_denormals():
            raise RuntimeError
        assert not flushed()

    def test_normal_numbers_are_what_they_are(self):
        x = torch.logspace(-37, 37, 75)
        with no_denormals():
            again = x * 1
        assert again.equal(x)
