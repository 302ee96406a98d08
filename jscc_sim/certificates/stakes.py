"""What a certificate is about: the powers at stake, the value J* that all numbers are relative to, and who plays."""

from dataclasses import dataclass

from channels import AWGN, Jammer, innermost
from jscc_sim.codecs import Codec
from jscc_sim.codecs.linear import gaussian_law
from jscc_sim.link import Link
from jscc_sim.sources import Gaussian
from jscc_sim.theory.saddle import scalar_payoff


@dataclass(frozen=True, eq=False)
class Stakes:
    """A codec of a white Gaussian source, k = n, a jammer of power PA in noise of power N, and the receiver's ``law``.

    ``secret`` says whether transmitter and receiver share a sign or a rotation that the jammer does not know.
    """

    codec: Codec
    jammer: Jammer
    law: AWGN
    jam_power: float
    noise_power: float
    secret: bool

    @property
    def k(self) -> int:
        """Symbols per word."""
        return self.codec.k

    @property
    def line(self) -> float:
        """g, the slope of the linear receiver for this law."""
        gain = float(self.law.gain)
        return gain / (gain * gain + self.law.noise_power)

    @property
    def value(self) -> float:
        """J*, the saddle value of the mean-square error per symbol."""
        return float(scalar_payoff(1.0, 1.0, self.jam_power, self.noise_power))


def stakes_of(link: Link) -> Stakes:
    """The stakes of a link; ValueError where no certificate is known for it.

    Both bounds hold with a shared secret and without: it is one jammer more, or one codec more, of the same powers.
    """
    source, codec, jammer = link.source, link.codec, innermost(link.channel)
    if not isinstance(jammer, Jammer):
        raise ValueError(f"certificates are about jammers, not {type(jammer).__name__}")
    if not (isinstance(source, Gaussian) and source.is_white):
        raise ValueError(f"certificates are for a white Gaussian source, not {source}")
    if codec.k != codec.n:
        raise ValueError(f"the saddle value is known for k = n only, got a codec of k={codec.k}, n={codec.n}")
    law, secret = gaussian_law(jammer.nominal), jammer is not link.channel
    return Stakes(codec, jammer, law, jammer.jam_power, jammer.noise_power, secret)
