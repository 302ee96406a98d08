"""The training of a codec of bits for its objective."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from channels import Channel
from jscc_sim.bits.distortion import distortion
from jscc_sim.bits.infomax import Infomax
from jscc_sim.bits.objectives import Objective
from jscc_sim.codec_training import CodecTraining, Recipe
from jscc_sim.codecs import BinaryCodec
from jscc_sim.epochs import Stateful

# The classifier of the total correlation costs as much as a small codec: where it only reports, it learns this often.
REPORTED = 10


class Epoch(NamedTuple):
    """How many epochs are done, and means over the last one: the loss of an image, and information in nats.

    The loss is that of `Objective.loss`, which for VIMCO lies below the error; ``entropy``, ``conditional`` and
    ``correlation`` are the `Terms` of the information of words as they are drawn. The last is what a classifier knows
    that learns meanwhile, seldom if it only reports: to compare codecs take `scrutiny.information`.
    """

    number: float
    loss: float
    entropy: float
    conditional: float
    correlation: float


class Training(CodecTraining[Epoch]):
    """A codec's epochs over ``channel``; the weights that do best on ``validation (count, k)`` are ``selected``."""

    epoch = Epoch
    model: BinaryCodec

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
        self.optimiser = self.optimised(codec.encoder.parameters(), codec.decoder.parameters())
        self.taken = 0

    @property
    def learning(self) -> dict[str, Stateful]:
        """The classifier, too."""
        return super().learning | {"infomax": self.infomax}

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        super().load(path)
        self.taken = len(self.epochs) * self.batches

    def step(self, x: Tensor) -> Tensor:
        """The loss of an image and the terms of the words' information."""
        codec, objective = self.model, self.objective
        with self.precision.autocast():
            probability = codec.logits(x).float().sigmoid()
            if probability.isnan().any():  # which no word can be drawn from
                raise self.diverged("the chance of a symbol became nan")
            error = objective.loss(codec, x, probability, self.channel).mean()
        learns = objective.infomax > 0
        self.infomax.train(learns or self.taken % REPORTED == 0)
        terms = self.infomax(probability if learns else probability.detach())
        self.descend(error - objective.infomax * terms.information if learns else error)
        self.taken += 1
        return torch.stack([error, *terms]).detach()

    def validation_error(self) -> float:
        """The loss of an image, sent once."""
        return distortion(self.model, self.channel, self.validation, draws=1).mean
