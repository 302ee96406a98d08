"""The training of a codec of bits: over its channel, for its objective, selected on validation images."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from channels import Channel
from jscc_sim.bits.distortion import distortion
from jscc_sim.bits.infomax import Infomax
from jscc_sim.bits.objectives import Objective
from jscc_sim.codecs import BinaryCodec
from jscc_sim.epochs import Epochs, Stateful
from jscc_sim.precision import gains_from_bf16, gains_from_fused

# The classifier of the total correlation costs as much as a small codec: where it only reports, it learns this often.
REPORTED = 10


@dataclass(frozen=True)
class Recipe:
    """How a codec of bits learns: Adam over ``epochs`` of shuffled batches.

    The rate rises to ``lr`` over the share ``warmup`` of the steps and, unless ``constant``, falls to 0 with the cosine
    of the rest. ``decay`` draws weights to zero beside the gradient (AdamW), ``penalty`` those of the encoder through
    it (L2). Gradients are cut to the norm ``clip`` unless it is 0. The weights kept are those of the epoch that does
    best on validation images, of ``selections`` that are tried.
    """

    net: str = "wide"
    epochs: int = 130
    batch: int = 100
    lr: float = 1e-3
    warmup: float = 0.02
    constant: bool = False
    decay: float = 0.03
    penalty: float = 0.0
    clip: float = 10.0
    selections: int = 10

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "selections"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (self.lr > 0 and self.clip >= 0 and 0 <= self.warmup < 1):
            raise ValueError(
                f"lr must be positive, clip 0 or more, warmup in [0, 1): got {self.lr}, {self.clip}, {self.warmup}"
            )

    def rate(self, done: int, steps: int) -> float:
        """The rate of Adam after ``done`` of ``steps`` steps."""
        rising = self.warmup * steps
        if done < rising:
            return self.lr * (done + 1) / rising
        if self.constant:
            return self.lr
        return self.lr * (1 + math.cos(math.pi * (done - rising) / (steps - rising))) / 2

    def tried(self, epoch: int) -> bool:
        """Whether the weights after so many epochs are tried on validation images: the last ones always are."""
        return (self.epochs - epoch) % math.ceil(self.epochs / self.selections) == 0


class Epoch(NamedTuple):
    """How many epochs are done, and means over the last one: the stake of an image, and information in nats.

    The stake is that of `Objective.stake`, which for VIMCO lies below the error; ``entropy``, ``conditional`` and
    ``correlation`` are the `Terms` of the information of words as they are drawn.
    """

    number: float
    stake: float
    entropy: float
    conditional: float
    correlation: float


class _Selected:
    """The weights that did best on validation images, and the errors of all that were tried, by epoch."""

    def __init__(self, codec: BinaryCodec) -> None:
        self.errors: dict[int, float] = {}
        self.weights = copy.deepcopy(codec.state_dict())

    @property
    def epoch(self) -> int:
        """That of the weights."""
        return min(self.errors, key=self.errors.__getitem__)

    def try_out(self, epoch: int, codec: BinaryCodec, error: float) -> None:
        """Keep the codec's weights if it does better than any before."""
        self.errors[epoch] = error
        if self.epoch == epoch:
            self.weights = copy.deepcopy(codec.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"errors": self.errors, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        self.errors, self.weights = state["errors"], state["weights"]


class _Precision:
    """Whether the nets compute in bfloat16: decided by the machine, and kept where a training is resumed."""

    def __init__(self, device: str) -> None:
        self.bf16 = gains_from_bf16(device)

    def state_dict(self) -> dict[str, Any]:
        return {"bf16": self.bf16}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        self.bf16 = bool(state["bf16"])


class Training(Epochs[Epoch]):
    """A codec's epochs over ``channel``; the weights that do best on ``validation (count, k)`` are ``selected``."""

    epoch = Epoch
    model: BinaryCodec
    schedule: Recipe

    def __init__(
        self,
        codec: BinaryCodec,
        channel: Channel,
        objective: Objective,
        images: Tensor,
        validation: Tensor,
        recipe: Recipe,
        said: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(codec, images, recipe, said)
        objective.check(channel, codec.n)
        self.channel, self.objective, self.validation = channel, objective, validation
        self.infomax = Infomax(codec.n).to(images.device)
        groups = [
            {"params": [*codec.encoder.parameters()], "weight_decay": recipe.penalty or recipe.decay},
            {"params": [*codec.decoder.parameters()], "weight_decay": 0.0 if recipe.penalty else recipe.decay},
        ]
        kind = torch.optim.Adam if recipe.penalty else torch.optim.AdamW
        self.optimiser = kind(groups, recipe.lr, fused=gains_from_fused(str(images.device)))
        self.precision, self.selected = _Precision(str(images.device)), _Selected(codec)
        self.taken = 0

    @property
    def learning(self) -> dict[str, Stateful]:
        """The classifier, what was selected and the number format, too."""
        own: dict[str, Stateful] = {"infomax": self.infomax, "selected": self.selected, "precision": self.precision}
        return super().learning | own

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        super().load(path)
        self.taken = len(self.epochs) * self.batches

    def step(self, x: Tensor) -> Tensor:
        """The stake of an image and the terms of the words' information."""
        codec, objective = self.model, self.objective
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.precision.bf16):
            probability = codec.logits(x).float().sigmoid()
            error = objective.stake(codec, x, probability, self.channel).mean()
        learns = objective.infomax > 0
        self.infomax.train(learns or self.taken % REPORTED == 0)
        terms = self.infomax(probability if learns else probability.detach())
        self.optimiser.zero_grad()
        (error - objective.infomax * terms.information if learns else error).backward()
        if self.schedule.clip:
            nn.utils.clip_grad_norm_(codec.parameters(), self.schedule.clip)
        self.optimiser.step()
        self.taken += 1
        return torch.stack([error, *terms]).detach()

    def end_epoch(self) -> None:
        """Try the weights on validation images, if it is their turn."""
        done = len(self.epochs)
        if not self.schedule.tried(done):
            return
        self.selected.try_out(done, self.model, distortion(self.model, self.channel, self.validation, draws=1).mean)

    def finish(self) -> None:
        """The weights that did best, in evaluation."""
        self.model.load_state_dict(self.selected.weights)
        super().finish()
