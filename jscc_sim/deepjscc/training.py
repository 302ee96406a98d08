"""The training of DeepJSCC: over a channel of many SNRs, and against a jammer that learns as well."""

from collections.abc import Mapping
from statistics import geometric_mean
from typing import NamedTuple

import torch
from torch import Tensor

from channels import Channel, Jammer
from jscc_sim.codec_training import CodecTraining, Recipe
from jscc_sim.codecs import DeepJSCC
from jscc_sim.deepjscc.fidelity import send
from jscc_sim.epochs import Stateful

# The jammer's rate, throughout: at that of codecs it stays behind.
JAMMING = 1e-2


class Epoch(NamedTuple):
    """How many epochs are done, and the mean square error per value over the last one."""

    number: float
    mse: float


class Training(CodecTraining[Epoch]):
    """A codec's epochs over ``channel`` at SNRs between the ends of ``snr_db``, drawn anew for each batch.

    A jammer, if the channel is one, raises by a step on each batch what the codec then lowers by a step. Then the last
    weights are kept: each epoch has a jammer of its own, and errors under one say nothing of another.
    """

    epoch = Epoch
    model: DeepJSCC

    def __init__(
        self,
        codec: DeepJSCC,
        channel: Channel,
        snr_db: tuple[float, float],
        images: Tensor,
        validation: Tensor,
        recipe: Recipe,
        said: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(codec, images, recipe, said)
        self.channel, self.snr_db, self.validation = channel.to(images.device), snr_db, validation
        self.optimiser = self.optimised(codec.encoder.parameters(), codec.decoder.parameters())
        weights = [*channel.parameters()]
        self.jammer = torch.optim.Adam(weights, JAMMING, betas=(0.0, 0.99)) if weights else None

    @property
    def learning(self) -> dict[str, Stateful]:
        """The jammer, too."""
        own: dict[str, Stateful] = {} if self.jammer is None else {"channel": self.channel, "jammer": self.jammer}
        return super().learning | own

    def step(self, x: Tensor) -> Tensor:
        """The error, after a step down its logarithm: all SNRs count alike, in decibels."""
        low, high = self.snr_db
        channel = self.channel.at(low + (high - low) * float(torch.rand(())))
        codec = self.model.told(channel.nominal)
        with self.precision.autocast():
            sent = codec.encode(x)
        if self.jammer is not None:
            self.jammer.zero_grad()
            (-self._error(codec, channel, x, sent.detach())).backward(inputs=[*self.channel.parameters()])
            self.jammer.step()
        error = self._error(codec, channel, x, sent)
        self.descend(error.log())
        return error.detach().reshape(1)

    def _error(self, codec: DeepJSCC, channel: Channel, x: Tensor, sent: Tensor) -> Tensor:
        """The mean square error of images ``x`` whose words are ``sent``."""
        received = channel.transmit(sent)
        with self.precision.autocast():
            decoded = codec.decode(received.y, received.law)
        return (decoded - x).square().mean()

    def end_epoch(self) -> None:
        """Try the weights on validation images, if it is their turn; against a jammer, at its power, only the last."""
        if isinstance(self.channel, Jammer):
            if len(self.epochs) < self.schedule.epochs:
                return
            self.channel.measure_power(lambda: (self.model.encode(self.validation[:64]), None))
        super().end_epoch()

    def validation_error(self) -> float:
        """Of validation images, sent once: the geometric mean of the errors at the ends and the middle of the SNRs."""
        low, high = self.snr_db
        levels = dict.fromkeys((low, (low + high) / 2, high))
        received = (send(self.model, self.channel.at(level), self.validation).clamp(0, 1) for level in levels)
        return geometric_mean([float((found - self.validation).square().mean()) for found in received])

    def finish(self) -> None:
        """The weights that did best, in evaluation, and the jammer in evaluation as it is now."""
        super().finish()
        self.channel.eval()
