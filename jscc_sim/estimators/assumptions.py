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

PLAINLY = "use the plain estimator"
# What suits sources that others are not for.
REAL = "use the control or sobol estimator for a real source, or the plain one"
BITS = "use the tilt or strata estimator for bits, or the plain one"
# Policies that see nothing, of mean zero and power one in closed form, uncorrelated from symbol to symbol.
WHITE = (GaussianPolicy, LaplacePolicy, PulsedPolicy, TwoPointPolicy, UniformPolicy)


def refusal(name: str, needs: str, found: object, remedy: str = PLAINLY) -> ValueError:
    """The error of estimator ``name`` for a link that is not as it needs it: what it found, as text or by its class."""
    said = found if isinstance(found, str) else type(found).__name__
    return ValueError(f"the {name} estimator needs {needs}, got {said}: {remedy}")


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
        raise refusal(name, "one gain for all words", "AWGN with a gain for each")
    if type(within) is not Jammer:
        other = "use the strata estimator for a BSC or a BEC, the plain one for others"
        raise refusal(name, "AWGN or a jammer", channel, other if channel.output == "antipodal" else PLAINLY)
    if type(within.policy) not in WHITE:
        kinds = ", ".join(kind.__name__ for kind in WHITE)
        needs = f"an oblivious jammer of exactly known white law ({kinds})"
        raise refusal(name, needs, within.policy, "use --policy gaussian, or the plain estimator")
    if within.unit.training:
        raise refusal(name, "a jammer in evaluation", "one in training", "use link.eval()")
    if float(within.unit.power) != 1:
        found = f"{float(within.unit.power):g}"
        raise refusal(name, "a jammer whose frozen power is that of its policy, 1", found, "use link.eval()")
    return AWGN(within.noise_power + within.jam_power)


def gaussian_noise(name: str, channel: Channel) -> AWGN:
    """As `white_noise`, all of it Gaussian; behind a shared secret it is the same law."""
    within = inside(channel)
    if type(within) is Jammer and type(within.policy) is not GaussianPolicy:
        raise refusal(name, "Gaussian noise", within.policy, "use --policy gaussian, or the plain estimator")
    return white_noise(name, channel)


def check_codec(name: str, codec: Codec, kinds: tuple[type[Codec], ...], remedy: str) -> None:
    """ValueError with a remedy for codecs of bits unless the codec is of one of these kinds exactly."""
    if type(codec) not in kinds:
        needs = f"{' or '.join(kind.__name__ for kind in kinds)} as the codec"
        raise refusal(name, needs, codec, remedy if codec.source_alphabet == "bits" else REAL)
