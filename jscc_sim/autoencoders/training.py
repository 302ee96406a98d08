"""The training of an autoencoder with its regulariser, epoch by epoch; stopped and resumed bit for bit."""

import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from jscc_sim.autoencoders.nets import Autoencoder
from jscc_sim.autoencoders.states import pack, unpack
from jscc_sim.checkpoint import load_state, save_state

# So many batches pass between two words on the progress.
SPOKEN = 20


@dataclass(frozen=True)
class Schedule:
    """How an autoencoder learns: Adam with a cosine schedule from ``lr``, over ``epochs`` of shuffled batches.

    With ``bf16`` the nets compute in bfloat16, by autocast; weights, latents, penalty and error stay in float32.
    """

    epochs: int = 12
    batch: int = 256
    lr: float = 3e-3
    bf16: bool = False

    def __post_init__(self) -> None:
        if not (self.epochs >= 1 and self.batch >= 2 and self.lr > 0):
            raise ValueError(
                f"epochs must be 1 or more, batch 2 or more, lr positive: {self.epochs}, {self.batch}, {self.lr}"
            )

    def rate(self, done: int, steps: int) -> float:
        """The rate of Adam after ``done`` of ``steps`` steps."""
        return self.lr * (1 + math.cos(math.pi * done / steps)) / 2


class Epoch(NamedTuple):
    """How many epochs are done, and the mean squared error per value and the weighted penalty over the last one.

    Within an epoch the number is a fraction, and the means are over what has been of it.
    """

    number: float
    mse: float
    penalty: float


Hear = Callable[[Epoch], None]


def unheard(epoch: Epoch) -> None:
    """For a training in whose progress nobody is interested."""


def fit_autoencoder(model: Autoencoder, images: Tensor, schedule: Schedule | None = None) -> Generator[Epoch]:
    """Train on ``images (count, channels, height, width)`` in [0, 1] and yield each epoch; in evaluation at the end."""
    yield from Training(model, images, schedule or Schedule()).run()


class Training:
    """A model, its optimiser, and the ``epochs`` that are done; draws come from torch's generator.

    ``said`` tells the checkpoints of one training from those of another. ``seconds`` are what the epochs took: of the
    processor, or of the clock where a GPU computes.
    """

    def __init__(
        self, model: Autoencoder, images: Tensor, schedule: Schedule, said: Mapping[str, object] | None = None
    ) -> None:
        self.model, self.images, self.schedule, self.said = model, images, schedule, dict(said or {})
        self.epochs: list[Epoch] = []
        self.seconds = 0.0
        self.batches = len(images) // schedule.batch
        if not self.batches:
            raise ValueError(f"{len(images)} images do not make a batch of {schedule.batch}: choose a smaller batch")
        learned = [*model.encoder.parameters(), *model.decoder.parameters()]
        self.optimiser = torch.optim.Adam(learned, schedule.lr, fused=True)
        model.train()

    @property
    def steps(self) -> int:
        """How many it takes in all."""
        return self.schedule.epochs * self.batches

    def run(self, saved: Path | None = None, hear: Hear = unheard) -> Generator[Epoch]:
        """The epochs that are still to do; then the model is in evaluation.

        With ``saved``, training goes on from the checkpoint there, if one is, and leaves one after each epoch.
        """
        if saved and saved.with_suffix(".json").exists():
            self.load(saved)
        while len(self.epochs) < self.schedule.epochs:
            epoch = self._epoch(hear)
            self.epochs.append(epoch)
            if saved:
                self.save(saved)
            hear(epoch)
            yield epoch
        self.model.eval()

    def _epoch(self, hear: Hear) -> Epoch:
        clock = time.process_time if self.images.device.type == "cpu" else time.perf_counter
        start, before = clock(), len(self.epochs)
        totals = torch.zeros(2, device=self.images.device)
        order = torch.randperm(len(self.images))[: self.batches * self.schedule.batch].to(self.images.device)
        for index, batch in enumerate(order.split(self.schedule.batch), start=1):
            totals += self._step(self.images[batch], before * self.batches + index - 1)
            if index % SPOKEN == 0 and index < self.batches:
                hear(Epoch(before + index / self.batches, *(totals / index).tolist()))
        epoch = Epoch(before + 1, *(totals / self.batches).tolist())
        if not (math.isfinite(epoch.mse) and math.isfinite(epoch.penalty)):
            raise FloatingPointError(
                f"in epoch {before + 1} the error became {epoch.mse:g} and the penalty {epoch.penalty:g}: "
                f"lower lr, now {self.schedule.lr:g}, or the weight"
            )
        self.seconds += clock() - start
        return epoch

    def _step(self, x: Tensor, done: int) -> Tensor:
        """One step of Adam after so many; the error and the penalty."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate(done, self.steps)
        lower = torch.autocast(x.device.type, torch.bfloat16, enabled=self.schedule.bf16)
        with lower:
            h = self.model.encoder(x)
        z = self.model.reg.norm(h.float())
        with lower:
            decoded = self.model.decoder(z)
        loss, penalty = nn.functional.mse_loss(decoded.float(), x), self.model.reg(z)
        self.optimiser.zero_grad()
        (loss + penalty).backward()
        self.optimiser.step()
        return torch.stack((loss.detach(), penalty.detach()))

    def save(self, path: Path) -> None:
        """Write everything that the next epochs depend on, the state of torch's generators included."""
        tensors = {"generator": torch.get_rng_state()}
        if self.images.device.type == "cuda":
            tensors["cuda_generator"] = torch.cuda.get_rng_state(self.images.device)
        parts = {
            "model": pack(self.model.state_dict(), "model", tensors),
            "optimiser": pack(self.optimiser.state_dict(), "optimiser", tensors),
        }
        epochs = [list(epoch) for epoch in self.epochs]
        told = {"done": len(self.epochs), "seconds": round(self.seconds, 2), "epochs": epochs}
        save_state(path, {**told, "said": self.said, **parts}, tensors)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; ValueError if it is damaged, or of another training."""
        described = path.with_suffix(".json")
        told, tensors = load_state(path)
        if told.get("said") != self.said:
            raise ValueError(f"{described} was saved from another training: start anew in another folder")
        try:
            self._restore(cast("dict[str, Any]", told), tensors)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"{described} lacks what it describes: {str(error).splitlines()[0]}") from None

    def _restore(self, told: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.epochs = [Epoch(*epoch) for epoch in told["epochs"]]
        self.seconds = float(told["seconds"])
        self.model.load_state_dict(cast("dict[str, Any]", unpack(told["model"], tensors)))
        self.optimiser.load_state_dict(cast("dict[str, Any]", unpack(told["optimiser"], tensors)))
        torch.set_rng_state(tensors["generator"])
        if "cuda_generator" in tensors:
            torch.cuda.set_rng_state(tensors["cuda_generator"], self.images.device)
