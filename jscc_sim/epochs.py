"""Learning from a set of images, epoch by epoch; stopped and resumed bit for bit."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from jscc_sim.checkpoint import load_state, save_state
from jscc_sim.precision import no_denormals
from jscc_sim.states import pack, unpack

# So many batches pass between two words on the progress.
SPOKEN = 20

# A named tuple: how many epochs are done, within one a fraction, and the means of what its steps said.
E = TypeVar("E", bound=tuple[float, ...])


class Schedule(Protocol):
    """How long and how fast: ``epochs`` of shuffled batches of ``batch``, at rates from ``lr`` on."""

    @property
    def epochs(self) -> int:
        """How many passes over the images."""

    @property
    def batch(self) -> int:
        """How many images to a step."""

    @property
    def lr(self) -> float:
        """The highest rate."""

    def rate(self, done: int, steps: int) -> float:
        """The rate after ``done`` of ``steps`` steps."""


class Stateful(Protocol):
    """What the next steps depend on, and can be taken up again: a module, an optimiser."""

    def state_dict(self) -> dict[str, Any]:
        """All of it."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:  # modules say what was missing
        """As it was."""


def unheard(epoch: object) -> None:
    """For a training in whose progress nobody is interested."""


class Epochs(ABC, Generic[E]):
    """The training of ``model``, and the ``epochs`` that are done; draws come from torch's generator.

    ``said`` tells the checkpoints of one training from those of another. ``seconds`` are what the epochs took: of the
    processor, or of the clock where a GPU computes. A subclass says what a step is, what an ``epoch`` tells, and names
    in ``learning`` the optimiser and whatever else learns beside the model.
    """

    epoch: type[E]
    optimiser: torch.optim.Optimizer

    def __init__(
        self, model: nn.Module, images: Tensor, schedule: Schedule, said: Mapping[str, object] | None = None
    ) -> None:
        self.model, self.images, self.schedule, self.said = model, images, schedule, dict(said or {})
        self.epochs: list[E] = []
        self.seconds = 0.0
        self.batches = len(images) // schedule.batch
        if not self.batches:
            raise ValueError(f"{len(images)} images do not make a batch of {schedule.batch}: choose a smaller batch")

    @abstractmethod
    def step(self, x: Tensor) -> Tensor:
        """Learn from the images ``x (batch, …)`` at the rate that is set; what an epoch tells the means of."""

    @property
    def learning(self) -> dict[str, Stateful]:
        """All that the next epochs depend on beside torch's generators, by name."""
        return {"model": self.model, "optimiser": self.optimiser}

    def end_epoch(self) -> None:
        """What is to be done when an epoch is, before it is saved; by default nothing."""
        return

    def finish(self) -> None:
        """What is to be done in the end: the model is in evaluation."""
        self.model.eval()

    @property
    def steps(self) -> int:
        """How many it takes in all."""
        return self.schedule.epochs * self.batches

    def run(self, saved: Path | None = None, hear: Callable[[E], None] = unheard) -> Generator[E]:
        """The epochs that are still to do; then the model is in evaluation.

        With ``saved``, training goes on from the checkpoint there, if one is, and leaves one after each epoch.
        """
        if saved and saved.with_suffix(".json").exists():
            self.load(saved)
        self.model.train()
        clock = time.process_time if self.images.device.type == "cpu" else time.perf_counter
        while len(self.epochs) < self.schedule.epochs:
            start = clock()
            with no_denormals():
                epoch = self._pass(hear)
            self.epochs.append(epoch)
            self.end_epoch()
            self.seconds += clock() - start
            if saved:
                self.save(saved)
            hear(epoch)
            yield epoch
        self.finish()

    def _pass(self, hear: Callable[[E], None]) -> E:
        before = len(self.epochs)
        totals = torch.zeros(len(self.epoch.__annotations__) - 1, device=self.images.device)
        order = torch.randperm(len(self.images))[: self.batches * self.schedule.batch].to(self.images.device)
        for index, batch in enumerate(order.split(self.schedule.batch), start=1):
            for group in self.optimiser.param_groups:
                group["lr"] = self.schedule.rate(before * self.batches + index - 1, self.steps)
            totals += self.step(self.images[batch])
            if index % SPOKEN == 0 and index < self.batches:
                hear(self._epoch(before + index / self.batches, (totals / index).tolist()))
        means = dict(zip([*self.epoch.__annotations__][1:], (totals / self.batches).tolist(), strict=True))
        if wrong := [f"{name} became {mean:g}" for name, mean in means.items() if not math.isfinite(mean)]:
            raise self.diverged(" and ".join(wrong))
        return self._epoch(before + 1, means.values())

    def diverged(self, said: str) -> FloatingPointError:
        """The error to raise when what is ``said`` says that the training went astray."""
        return FloatingPointError(
            f"in epoch {len(self.epochs) + 1} {said}: lower lr, now {self.schedule.lr:g}, or a weight"
        )

    def _epoch(self, number: float, means: Iterable[float]) -> E:
        return cast("Callable[..., E]", self.epoch)(number, *means)

    def save(self, path: Path) -> None:
        """Write everything that the next epochs depend on, the state of torch's generators included."""
        tensors = {"generator": torch.get_rng_state()}
        if self.images.device.type == "cuda":
            tensors["cuda_generator"] = torch.cuda.get_rng_state(self.images.device)
        parts = {name: pack(part.state_dict(), name, tensors) for name, part in self.learning.items()}
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
        self.epochs = [self._epoch(epoch[0], epoch[1:]) for epoch in told["epochs"]]
        self.seconds = float(told["seconds"])
        for name, part in self.learning.items():
            part.load_state_dict(cast("dict[str, Any]", unpack(told[name], tensors)))
        torch.set_rng_state(tensors["generator"])
        if "cuda_generator" in tensors:
            torch.cuda.set_rng_state(tensors["cuda_generator"], self.images.device)
