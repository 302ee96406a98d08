"""Regularisers in two processes of DistributedDataParallel: replicas stay equal, and learn what one process would.

Both processes import torch, which takes seconds; so they start once, for all regularisers.
"""

from pathlib import Path

import pytest
import torch
from small_autoencoder import DROPPED_IN, SmallAutoencoder, same, shared, train
from torch import distributed, nn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel

pytestmark = pytest.mark.slow

PLACES = ("inside", "outside")


class Outside(nn.Module):
    """The same model with nets that are wrapped each by itself, and a regulariser that is not."""

    def __init__(self, model: SmallAutoencoder) -> None:
        super().__init__()
        self.reg = model.reg
        self.encoder, self.decoder = (DistributedDataParallel(net) for net in (model.encoder, model.decoder))

    def forward(self, x):
        z = self.reg.norm(self.encoder(x))
        return mse_loss(self.decoder(z), x) + self.reg(z)


def trained(name: str, place: str, seed: int) -> dict[str, object]:
    """The state of a model that starts and learns from a seed, accumulates over two batches, and then goes on."""
    torch.manual_seed(seed)
    model = SmallAutoencoder(name)
    wrapped = {"inside": DistributedDataParallel, "outside": Outside, "alone": lambda model: model}[place](model)
    optimiser = torch.optim.AdamW(wrapped.parameters(), 0.01)
    train(wrapped, optimiser)
    if place == "inside":
        with wrapped.no_sync():
            wrapped(torch.randn(32, 5)).backward()
    else:
        wrapped(torch.randn(32, 5)).backward()
    wrapped(torch.randn(32, 5)).backward()
    optimiser.step()
    train(wrapped, optimiser)
    return model.state_dict()


def worker(rank: int, folder: Path) -> None:
    """What both processes do."""
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.set_num_threads(1)
    found = {(name, place): trained(name, place, rank) for name in DROPPED_IN for place in PLACES}
    found |= {(name, "alike"): trained(name, "inside", 5) for name in DROPPED_IN}
    torch.save(found, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """What both processes found, by regulariser and place of it."""
    if not (distributed.is_available() and distributed.is_gloo_available()):
        pytest.skip("this torch has no gloo")
    folder = tmp_path_factory.mktemp("processes")
    torch.multiprocessing.spawn(worker, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", DROPPED_IN)
class TestEveryRegulariser:
    @pytest.mark.parametrize("place", PLACES)
    def test_replicas_stay_equal(self, states, name, place):
        """Nets, players, their optimisers and all statistics, though each process began and learned from its own."""
        assert same(*(shared(state[name, place]) for state in states))

    def test_processes_that_see_the_same_learn_what_one_learns(self, states, name):
        """Gradients are averaged: of two equal ones, the mean is the same to the last bit."""
        assert same(states[0][name, "alike"], trained(name, "alone", 5))
