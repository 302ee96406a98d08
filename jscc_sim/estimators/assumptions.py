"""What estimators may take for known of a link, and one-line refusals where it is not known."""

from channels import (
    AWGN,
    Channel,
    GaussianPolicy,
    Jammer,
    LaplacePolicy,
    PulsedPolicy,
    SharedRotation,
    SharedSign,
    TwoPointPolicy,
    UniformPolicy,
)
from jscc_sim.codecs import Codec

# Policies that see nothing, of mean zero and power one in closed form, uncorrelated from symbol to symbol.
WHITE = (GaussianPolicy, LaplacePolicy, PulsedPolicy, TwoPointPolicy, UniformPolicy)


def refusal(name: str, needs: str, found: object, remedy: str = "use the plain estimator") -> ValueError:
    """The error of estimator ``name`` for a link that is not as it needs it."""
    return ValueError(f"the {name} estimator needs {needs}, got {' '.join(str(found).split())}: {remedy}")


def inside(channel: Channel) -> Channel:
    """The channel that a shared secret is wrapped round; white noise of mean zero stays so behind it."""
    return channel.inside if isinstance(channel, SharedRotation | SharedSign) else channel


def white_noise(name: str, channel: Channel) -> AWGN:
    """The gain and the power of noise that is white, of mean zero, independent of the signal and exactly known.

    Exact types only: whoever derives from a channel or a policy may have changed its law. The frozen power of a neural
    policy is a measurement, some 0.05 % off, and its symbols may be correlated: it is refused.
    """
    within = inside(channel)
    if type(within) is AWGN:
        if isinstance(within.gain, float):
            return within
        raise refusal(name, "one gain for all words", channel)
    if type(within) is not Jammer:
        raise refusal(name, "AWGN or a jammer", channel)
    if type(within.policy) not in WHITE:
        kinds = ", ".join(kind.__name__ for kind in WHITE)
        raise refusal(name, f"an oblivious jammer of exactly known white law ({kinds})", within.policy)
    if within.unit.training or float(within.unit.power) != 1:
        raise refusal(name, "a jammer in evaluation, its power frozen at its policy's own", within, "use link.eval()")
    return AWGN(within.noise_power + within.jam_power)


def gaussian_noise(name: str, channel: Channel) -> AWGN:
    """As `white_noise`, all of it Gaussian; behind a shared secret it is the same law."""
    law, within = white_noise(name, channel), inside(channel)
    if isinstance(within, Jammer) and type(within.policy) is not GaussianPolicy:
        raise refusal(name, "Gaussian noise", within.policy, "use --policy gaussian, or the plain estimator")
    return law


def check_codec(name: str, codec: Codec, kinds: tuple[type[Codec], ...]) -> None:
    """ValueError unless the codec is of one of these kinds exactly."""
    if type(codec) not in kinds:
        raise refusal(name, f"{' or '.join(kind.__name__ for kind in kinds)} as the codec", codec)
