"""A study: one method on one set of images at one seed, and what it is judged by."""

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn

from jscc_sim.autoencoders import FAMILIES, Autoencoder, Schedule, autoencoder
from jscc_sim.data.parts import Part, Parts
from jscc_sim.image_metrics import EXTRACTORS, planes
from jscc_sim.nets import Shape
from jscc_sim.regularise.methods import Method
from jscc_sim.regularisers import Regulariser
from jscc_sim.regularisers.priors import PRIORS, FromGaussian
from jscc_sim.seeds import seeded

# Hyper-parameters are chosen on validation, and nothing is chosen on test.
SPLITS = ("test", "validation")
# What the extractor that was trained on digits can see.
DIGITS = (1, 28, 28)


@dataclass(frozen=True)
class Study:
    """One method on one set of images, at one seed.

    ``method`` is written as in `Method.parse`. The regulariser holds the latents to N(0, I), and the decoder sees what
    the ``prior``, one of `PRIORS`, makes of them. It learns from the first ``images`` of the training images, or from
    all, and is judged by the first ``judged_images`` of ``split``, or by all, in the features of ``extractor``.
    """

    data: str
    method: str
    k: int = 8
    family: str = "mlp"
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
    images: int | None = None
    judged_images: int | None = None
    split: str = "test"
    extractor: str = "mnist_cnn"
    prior: str = "gaussian"

    def __post_init__(self) -> None:
        named: dict[str, Collection[str]] = {
            "family": FAMILIES,
            "split": SPLITS,
            "extractor": EXTRACTORS,
            "prior": PRIORS,
        }
        for name, known in named.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"no {name} is called {value!r}: choose from {', '.join(known)}")
        if not self.k >= 1:
            raise ValueError(f"k, the number of latents, must be at least 1, got {self.k}")
        for name in ("images", "judged_images"):
            if (count := getattr(self, name)) is not None and not count >= 1:
                raise ValueError(f"{name}, how many at most, must be at least 1, got {count}")
        if self.k % (width := PRIORS[self.prior]().width):
            raise ValueError(f"prior {self.prior} has blocks of {width} latents, k={self.k} is no multiple of it")
        object.__setattr__(self, "method", str(Method.parse(self.method)))  # so that equal ones have equal names
        self._regulariser()

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.method}-{self.seed}"

    @property
    def warms_itself(self) -> bool:
        """Whether the method says over how many steps its weight rises; else at most over half of the training."""
        return "warmup" in dict(Method.parse(self.method).options)

    def model(self, shape: Shape) -> Autoencoder:
        """The autoencoder before it learned, for images of that shape, drawn from torch's generator."""
        reg = Method.parse(self.method).build(self.k, math.prod(shape))
        model = autoencoder(self.family, shape, self.k, reg)
        if self.prior != "gaussian":
            model.decoder = nn.Sequential(FromGaussian(PRIORS[self.prior]()), model.decoder)
        return model

    def check(self, parts: Parts) -> None:
        """ValueError if there are too few images to learn from or to judge by."""
        count, judged, batch = len(parts.train.images[: self.images]), len(self.judged(parts)), self.schedule.batch
        if count < batch:
            raise ValueError(f"{count} images do not make a batch of {batch}: choose a smaller batch")
        if judged < max(4, 2 * self.k):
            raise ValueError(
                f"{judged} {self.split} images are too few to judge k={self.k} latents by: choose a smaller k or more"
                " images to be judged by"
            )

    def train(self, parts: Parts) -> Tensor:
        """The images that it learns from, ``(count, channels, height, width)`` in [0, 1]."""
        return planes(parts.train.images[: self.images])

    def judged(self, parts: Parts) -> Part:
        """The images that it is judged by."""
        found: Part = getattr(parts, self.split)
        return found.take(slice(self.judged_images))

    def describe(self) -> dict[str, Any]:
        """The study as plain values by name, the penalty's weight and warm-up beside it."""
        said = asdict(self)
        schedule, reg = said.pop("schedule"), self._regulariser()
        return said | schedule | {"weight": reg.weight, "warmup": reg.warmup}

    def _regulariser(self) -> Regulariser:
        """As for images of one value, without a trace in torch's generator; ValueError if it cannot be."""
        with seeded(0):
            return Method.parse(self.method).build(self.k, 1)


def default_extractor(shape: Shape) -> str:
    """The extractor for images of that shape, if nobody names one: that of digits for small grey ones, else lite0."""
    return "mnist_cnn" if shape == DIGITS else "lite0"
