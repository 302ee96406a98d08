"""A study: one codec of bits for one set of images, channel and objective, at one seed."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from channels import AWGN, BEC, BSC, BitFlip, Channel
from jscc_sim.bits.objectives import BEST, OBJECTIVES, Objective
from jscc_sim.bits.search import check_searchable
from jscc_sim.codec_training import CodecStudy, Recipe
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Part, Parts
from jscc_sim.image_metrics import shape_of
from jscc_sim.sources import checked_count
from jscc_sim.spelling import called, known

# Beyond one half a decoder would learn to turn flips round; erasures keep to the range of the figures.
MOST = 0.5
CHANNELS: dict[str, Callable[[float, int], Channel]] = {
    "awgn": lambda at, flips: AWGN(1.0).at(at),
    "bsc": lambda at, flips: BSC(at),
    "bec": lambda at, flips: BEC(at),
    "bsc-flip": lambda at, flips: BitFlip(BSC(at), flips),
    "bec-flip": lambda at, flips: BitFlip(BEC(at), flips),
}
PRESETS = {
    "quick": Recipe("dense", epochs=45, batch=400, lr=3e-3),
    "full": Recipe("dense", epochs=180, batch=400, lr=3e-3),
    "conv": Recipe("conv", epochs=10, lr=2e-3),
    "paper": Recipe("paper", 200, 100, warmup=0.0, constant=True, decay=0.0, penalty=1e-4, clip=0.0, selections=200),
}


@dataclass(frozen=True)
class Study(CodecStudy):
    """One codec of ``bits``, learned over ``channel`` at ``at``: its probability of errors or erasures, or SNR in dB.

    ``objective`` is one of `OBJECTIVES`, with options in brackets, as ``iabf(infomax=0.001)``; the adversary of
    ``bsc-flip`` and ``bec-flip`` turns ``flips`` symbols of each word. It learns from the first ``images`` of the
    training images, or from all, and is judged by the first ``judged_images`` of the validation and test images; with
    ``search``, also with its words improved by the transmitter.
    """

    data: str = "mnist"
    bits: int = 100
    channel: str = "bsc"
    at: float = 0.1
    flips: int | None = None
    objective: str = BEST
    recipe: Recipe = PRESETS["full"]
    seed: int = 0
    images: int | None = None
    judged_images: int | None = None
    search: bool = False

    def __post_init__(self) -> None:
        checked_count("bits", self.bits)
        known("channel of bits", self.channel, CHANNELS)
        if self.channel != "awgn" and not 0 <= self.at <= MOST:
            raise ValueError(f"a probability of errors or erasures must lie between 0 and {MOST}, got {self.at}")
        if (self.flips is not None) != self.channel.endswith("flip"):
            raise ValueError(f"channel {self.channel} takes {'--flips' if self.flips is None else 'no flips'}")
        if self.flips is not None and not 0 <= self.flips <= self.bits:
            raise ValueError(f"flips must be 0 to {self.bits}, as words have so many bits, got {self.flips}")
        if self.search:
            check_searchable(self.link)
        self.sought.check(self.link, self.bits)
        object.__setattr__(self, "objective", self.objective.replace(" ", ""))

    @property
    def name(self) -> str:
        """Of its folder."""
        flips = "" if self.flips is None else f"-{self.flips}"
        return f"{self.objective}-{self.bits}-{self.channel}{flips}-{self.at:g}-{self.seed}"

    @property
    def sought(self) -> Objective:
        """What the objective's text says."""
        name, options = called("objective", self.objective, OBJECTIVES)
        for option in options:
            known(f"option of {name}", option, vars(OBJECTIVES[name]))
        try:
            return replace(OBJECTIVES[name], **options)  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"{self.objective} has an option of the wrong kind: {error}") from None

    @property
    def link(self) -> Channel:
        """The channel that it learns over."""
        return CHANNELS[self.channel](self.at, self.flips or 0)

    def codec(self, parts: Parts) -> BinaryCodec:
        """The codec before it learned, for such images, drawn from torch's generator."""
        return BinaryCodec(
            shape_of(parts.train.images),
            self.bits,
            self.recipe.net,
            pixels="bernoulli" if _is_black_and_white(parts.train) else "gaussian",
            erasures=not self.channel.startswith("bsc"),  # to a decoder of soft symbols 0 is one of many
        )

    def describe(self) -> dict[str, Any]:
        """The study as plain values by name; whether there is a search, which is measured later too, is none of it."""
        said = asdict(self)
        del said["search"]
        return said | said.pop("recipe")


def _is_black_and_white(part: Part) -> bool:
    return bool(((part.images == 0) | (part.images == 255)).all())
