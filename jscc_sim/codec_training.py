"""The training of a codec of images: over its channel, selected on validation images."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from jscc_sim.codecs import Codec
from jscc_sim.data.parts import Part, Parts
from jscc_sim.epochs import Epochs, Stateful
from jscc_sim.muon import Muon
from jscc_sim.precision import gains_from_bf16, gains_from_fused
from jscc_sim.seeds import seeded
from jscc_sim.spelling import known

E = TypeVar("E", bound=tuple[float, ...])
OPTIMISERS = ("adam", "muon")


@dataclass(frozen=True)
class Recipe:
    """How a codec of images learns: by Adam, or Muon, over ``epochs`` of shuffled batches.

    The rate rises to ``lr`` over the share ``warmup`` of the steps and, unless ``constant``, falls to 0 with the cosine
    of the rest. ``decay`` draws weights to zero beside the gradient (AdamW), ``penalty`` those of the encoder through
    it (L2). Gradients are cut to the norm ``clip`` unless it is 0. The weights kept are those of the epoch that does
    best on validation images, of at most ``selections`` that are tried.
    """

    net: str
    epochs: int = 130
    batch: int = 100
    lr: float = 1e-3
    warmup: float = 0.02
    constant: bool = False
    decay: float = 0.03
    penalty: float = 0.0
    clip: float = 10.0
    selections: int = 10
    optimiser: str = "adam"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "selections"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (self.decay >= 0 and self.penalty >= 0) or (self.decay and self.penalty):
            raise ValueError(
                f"decay and penalty must be 0 or more, and one of them 0: got {self.decay}, {self.penalty}"
            )
        known("optimiser", self.optimiser, OPTIMISERS)
        if self.optimiser == "muon" and self.penalty:
            raise ValueError(f"Muon takes no penalty, as it looks at directions alone: got {self.penalty}")
        if not (self.lr > 0 and self.clip >= 0 and 0 <= self.warmup < 1):
            raise ValueError(
                f"lr must be positive, clip 0 or more, warmup in [0, 1): got {self.lr}, {self.clip}, {self.warmup}"
            )

    def rate(self, done: int, steps: int) -> float:
        """The rate of Adam after ``done`` of ``steps`` steps."""
        rising = self.warmup * steps
        if done < rising:
            return self.lr * min(1.0, (done + 1) / rising)
        if self.constant:
            return self.lr
        return self.lr * (1 + math.cos(math.pi * (done - rising) / (steps - rising))) / 2

    def tried(self, epoch: int) -> bool:
        """Whether the weights after so many epochs are tried on validation images: the last ones always are."""
        return (self.epochs - epoch) % math.ceil(self.epochs / self.selections) == 0


def flat(part: Part, most: int | None = None) -> Tensor:
    """Images as codecs and `Images` have them: ``(count, k)`` in [0, 1]."""
    images = part.images[:most]
    return torch.from_numpy(images.reshape(len(images), -1)).float() / 255


class CodecStudy(ABC):
    """A codec that learns from the first ``images`` of a set, or from all, judged by the first ``judged_images``."""

    recipe: Recipe
    images: int | None
    judged_images: int | None

    @abstractmethod
    def codec(self, parts: Parts) -> Codec:
        """The codec before it learned, for such images, drawn from torch's generator."""

    def check(self, parts: Parts) -> None:
        """ValueError if there are too few images, or the net is not for such images."""
        count = len(parts.train.images[: self.images])
        if count < self.recipe.batch:
            raise ValueError(
                f"{count} images do not make a batch of {self.recipe.batch}: learn from more, or by another preset"
            )
        for part in (parts.validation, parts.test):
            if len(part) < 2:
                raise ValueError(f"{len(part)} images are too few to be judged by")
        with seeded(0):
            self.codec(parts)

    def train(self, parts: Parts) -> Tensor:
        """The images that it learns from, ``(count, k)``."""
        return flat(parts.train, self.images)

    def judged(self, part: Part) -> Tensor:
        """Those of a part that it is judged by, ``(count, k)``."""
        return flat(part, self.judged_images)


class Selected:
    """The weights that did best on validation images, and the errors of all that were tried, by epoch."""

    def __init__(self, codec: Codec) -> None:
        self.errors: dict[int, float] = {}
        self.weights = copy.deepcopy(codec.state_dict())

    @property
    def epoch(self) -> int:
        """That of the weights."""
        return min(self.errors, key=self.errors.__getitem__)

    def try_out(self, epoch: int, codec: Codec, error: float) -> None:
        """Keep the codec's weights if it does better than any before."""
        self.errors[epoch] = error
        if self.epoch == epoch:
            self.weights = copy.deepcopy(codec.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """All of it."""
        return {"errors": self.errors, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """As it was."""
        self.errors, self.weights = state["errors"], state["weights"]


class Precision:
    """Whether the nets compute in bfloat16: decided by the machine, and kept where a training is resumed."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.bf16 = device.type, gains_from_bf16(str(device))

    def autocast(self) -> torch.autocast:
        """In which the nets are to compute."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.bf16)

    def state_dict(self) -> dict[str, Any]:
        """All of it."""
        return {"bf16": self.bf16}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """As it was."""
        self.bf16 = bool(state["bf16"])


class CodecTraining(Epochs[E]):
    """A codec's epochs; in the end it has the weights that were ``selected``."""

    model: Codec
    schedule: Recipe

    def __init__(self, codec: Codec, images: Tensor, recipe: Recipe, said: Mapping[str, object] | None = None) -> None:
        super().__init__(codec, images, recipe, said)
        self.precision, self.selected = Precision(images.device), Selected(codec)

    def optimised(self, encoder: Iterable[Tensor], decoder: Iterable[Tensor]) -> torch.optim.Optimizer:
        """The recipe's optimiser of the parameters of both."""
        recipe, fused = self.schedule, gains_from_fused(str(self.images.device))
        if recipe.optimiser == "muon":
            return Muon([*encoder, *decoder], recipe.lr, weight_decay=recipe.decay, fused=fused)
        groups = [
            {"params": [*encoder], "weight_decay": recipe.penalty or recipe.decay},
            {"params": [*decoder], "weight_decay": recipe.decay},
        ]
        kind = torch.optim.Adam if recipe.penalty else torch.optim.AdamW
        return kind(groups, recipe.lr, fused=fused)

    def descend(self, loss: Tensor) -> None:
        """One step of the optimiser down the gradient of ``loss``."""
        self.optimiser.zero_grad()
        loss.backward(inputs=[weights for weights in self.model.parameters() if weights.requires_grad])
        if self.schedule.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip)
        self.optimiser.step()

    @abstractmethod
    def validation_error(self) -> float:
        """Of the model as it is."""

    @property
    def learning(self) -> dict[str, Stateful]:
        """What was selected and the number format, too."""
        return super().learning | {"selected": self.selected, "precision": self.precision}

    def end_epoch(self) -> None:
        """Try the weights on validation images, if it is their turn."""
        done = len(self.epochs)
        if self.schedule.tried(done):
            self.selected.try_out(done, self.model, self.validation_error())

    def finish(self) -> None:
        """The weights that did best, in evaluation."""
        self.model.load_state_dict(self.selected.weights)
        super().finish()
