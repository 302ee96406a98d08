"""A study: one DeepJSCC codec for one set of images, bandwidth ratio and channel, at one seed."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from channels import AWGN, OFDM, TDL, Channel, Jammer, NeuralPolicy, PerSymbolPolicy, Rayleigh, from_decibels
from jscc_sim.codec_training import CodecStudy, Recipe
from jscc_sim.codecs import DeepJSCC
from jscc_sim.codecs.deepjscc_nets import ratio_step
from jscc_sim.data.parts import Parts
from jscc_sim.image_metrics import check_sides, shape_of
from jscc_sim.spelling import bandwidth_ratio, known

# How many hidden units the jammer has that learns against the codec.
HIDDEN = 64
CHANNELS: dict[str, Callable[[float, float], Channel]] = {
    "awgn": lambda noise_power, jam_power: AWGN(noise_power),
    "ofdm": lambda noise_power, jam_power: OFDM(noise_power),
    "rayleigh": lambda noise_power, jam_power: Rayleigh(noise_power),
    "tdl": lambda noise_power, jam_power: TDL(noise_power),
    "jammer": lambda noise_power, jam_power: Jammer(PerSymbolPolicy(NeuralPolicy(1, HIDDEN)), noise_power, jam_power),
}
PRESETS = {
    "quick": Recipe("residual", epochs=3, batch=64, lr=2e-3, decay=0.0, optimiser="muon"),
    "full": Recipe("residual", epochs=30, batch=64, lr=1e-3, decay=0.0, optimiser="muon"),
    "paper": Recipe("paper", epochs=100, batch=64, decay=0.0),
}


@dataclass(frozen=True)
class Study(CodecStudy):
    """One codec whose words have ``ratio`` complex uses per value of an image, learned over ``channel``.

    It learns at the SNR ``snr_db``, or at all between its two ends, drawn for each batch; then it is told it.
    ``sjr_db`` is the signal's power over that of the jammer, which learns against it. It learns from the first
    ``images`` of the training images, or from all, and is judged by the first ``judged_images`` of the validation and
    test images, at the ends and in the middle.
    """

    data: str = "cifar10"
    ratio: str = "1/6"
    channel: str = "awgn"
    snr_db: tuple[float, ...] = (10.0,)
    sjr_db: float | None = None
    peak: float | None = None
    recipe: Recipe = PRESETS["full"]
    seed: int = 0
    images: int | None = None
    judged_images: int | None = None

    def __post_init__(self) -> None:
        known("channel of images", self.channel, CHANNELS)
        if len(self.snr_db) not in (1, 2) or self.snr_db[0] > self.snr_db[-1]:
            told = ", ".join(f"{level:g}" for level in self.snr_db)
            raise ValueError(f"the SNR is one number, or a range from the lower to the higher, got {told}")
        if (self.sjr_db is not None) != (self.channel == "jammer"):
            wanted = "--sjr" if self.sjr_db is None else "no --sjr: use channel jammer, or leave it out"
            raise ValueError(f"channel {self.channel!r} takes {wanted}")
        bandwidth_ratio(self.ratio)

    @property
    def fraction(self) -> Fraction:
        """Complex uses per value of an image."""
        return bandwidth_ratio(self.ratio)

    @property
    def adaptive(self) -> bool:
        """Whether it learns at many SNRs, and is told which."""
        return len(self.snr_db) == 2

    @property
    def name(self) -> str:
        """Of its folder."""
        snr = "-to-".join(f"{level:g}" for level in self.snr_db)
        sjr = "" if self.sjr_db is None else f"-sjr-{self.sjr_db:g}"
        peak = "" if self.peak is None else f"-peak-{self.peak:g}"
        return f"{self.recipe.net}-{self.ratio.replace('/', 'in')}-{self.channel}-{snr}{sjr}{peak}-{self.seed}"

    def link(self) -> Channel:
        """The channel that it learns over, at the middle of its SNRs; a jammer is drawn from torch's generator."""
        return CHANNELS[self.channel](from_decibels(-self.middle), from_decibels(-(self.sjr_db or 0.0)))

    @property
    def middle(self) -> float:
        """The SNR in dB, or the mean of the two ends."""
        return sum(self.snr_db) / len(self.snr_db)

    @property
    def judged_at(self) -> tuple[float, ...]:
        """The SNRs in dB at which it is judged."""
        return tuple(dict.fromkeys((self.snr_db[0], self.middle, self.snr_db[-1])))

    def check(self, parts: Parts) -> None:
        """ValueError if there are too few images, or they are too small to be judged."""
        check_sides(shape_of(parts.train.images))
        super().check(parts)

    def codec(self, parts: Parts) -> DeepJSCC:
        """The codec before it learned, for such images, drawn from torch's generator."""
        shape = shape_of(parts.train.images)
        uses = 2 * self.fraction * parts.train.images[0].size
        step = ratio_step(shape)
        if self.fraction % step:
            near = max(1, round(self.fraction / step)) * step
            wrong = f"images of {shape[1]} × {shape[2]} have bandwidth ratios that are multiples of {step}"
            raise ValueError(f"{wrong}, got {self.ratio}: try {near}")
        return DeepJSCC(shape, int(uses), self.recipe.net, adaptive=self.adaptive, peak=self.peak, snr_db=self.middle)

    def describe(self) -> dict[str, Any]:
        """The study as plain values by name."""
        said = asdict(self) | {"snr_db": list(self.snr_db)}
        return said | said.pop("recipe")
