"""Autoencoders of images: an encoder and its mirror, of two families of nets, with a regulariser between them."""

from collections.abc import Callable

from torch import Tensor, nn

from jscc_sim.nets import Nets, Shape, conv, mlp
from jscc_sim.regularisers import Regulariser


class Autoencoder(nn.Module):
    """``decoder(reg.norm(encoder(x)))`` for images ``x (batch, channels, height, width)`` in [0, 1].

    The regulariser's statistics belong to the model: without its norm the decoder would be asked at the wrong scale.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, reg: Regulariser, d: int) -> None:
        super().__init__()
        self.encoder, self.decoder, self.reg, self.d = encoder, decoder, reg, d

    def latents(self, x: Tensor) -> Tensor:
        """``(batch, d)``, normalised."""
        return self.reg.norm(self.encoder(x))

    def drawn(self, x: Tensor) -> Tensor:
        """The latents ``(batch, d)`` whose law is to be the prior: in a VAE, drawn around those."""
        return self.reg.draw(self.encoder(x))

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction."""
        return self.decoder(self.latents(x))


FAMILIES: dict[str, Callable[[Shape, int, int], Nets]] = {"mlp": mlp, "conv": conv}


def autoencoder(family: str, shape: Shape, d: int, reg: Regulariser) -> Autoencoder:
    """An untrained autoencoder with ``d`` latents of one of the `FAMILIES`, drawn from torch's generator."""
    if family not in FAMILIES:
        raise ValueError(f"no family of nets is called {family!r}: choose from {', '.join(FAMILIES)}")
    encoder, decoder = FAMILIES[family](shape, reg.width(d), d)
    return Autoencoder(encoder, decoder.append(nn.Sigmoid()), reg, d)
