"""What ``jscc-sim list`` prints: every name, what it takes and what it is."""

import inspect
from collections.abc import Iterator
from typing import NamedTuple

from channels import SECRETS, GaussianPolicy
from jscc_sim.catalog.channels import CHANNEL_NAMES, CHANNEL_OPTIONS, OPTIONS
from jscc_sim.catalog.codecs import CODEC_NAMES
from jscc_sim.catalog.policies import POLICY_NAMES, first_parameter
from jscc_sim.catalog.request import Request
from jscc_sim.catalog.sources import SOURCE_TAKES
from jscc_sim.codecs import CONSTELLATIONS
from jscc_sim.metrics import METRICS
from jscc_sim.sources import SOURCES


class Entry(NamedTuple):
    """A name, what it takes, and the first line of what it is."""

    kind: str
    name: str
    parameters: str
    says: str


def inventory() -> list[Entry]:
    """Every name that a request may hold, and what studies of latents and of bits take."""
    return [
        *_channels(),
        *_policies(),
        *(Entry("shared", name, "", _says(kind)) for name, kind in SECRETS.items()),
        *(Entry("codecs", name, codec.takes, codec.says or _says(codec.kind)) for name, codec in CODEC_NAMES.items()),
        *(Entry("sources", name, SOURCE_TAKES.get(name, "--k"), _says(kind)) for name, kind in SOURCES.items()),
        *(Entry("metrics", metric.name, "", metric.says) for metric in METRICS.values()),
        *(Entry("modulations", name, "", f"{bits} bits to a complex symbol") for name, bits in CONSTELLATIONS.items()),
        *_shaping(),
        *_bits(),
    ]


def _channels() -> Iterator[Entry]:
    for name, build in CHANNEL_NAMES.items():
        channel = build(Request(name), GaussianPolicy())
        knob = "--snr (dB)" if channel.knob == "snr_db" else f"--at ({channel.knob})"
        options = (OPTIONS[field] for field in CHANNEL_OPTIONS.get(name, ()))
        yield Entry("channels", name, " ".join((knob, *options)), _says(channel))


def _policies() -> Iterator[Entry]:
    for name, policy in POLICY_NAMES.items():
        number = first_parameter(policy)
        yield Entry("policies", f"{name}:{number.upper()}" if number else name, "", _says(policy))


def _shaping() -> Iterator[Entry]:
    """Of ``jscc-sim regularise``: methods with their options, priors, families of nets and extractors."""
    from jscc_sim.autoencoders import FAMILIES
    from jscc_sim.image_metrics import EXTRACTORS  # here, because a sweep does not wait for libraries of images
    from jscc_sim.regularise import METHODS, options_of
    from jscc_sim.regularisers.priors import PRIORS

    for name, build in METHODS.items():
        made_by = getattr(build, "__self__", build) if build.__name__ == "default" else build
        yield Entry("methods", name, " ".join(options_of(name)), _says(made_by))
    for name, prior in PRIORS.items():
        yield Entry("priors", name, "", _says(prior))
    for kind, parts in (("families", FAMILIES), ("extractors", EXTRACTORS)):
        yield from (Entry(kind, name, "", _says(part)) for name, part in parts.items())


def _bits() -> Iterator[Entry]:
    """Of ``jscc-sim train bits``: objectives and nets."""
    from jscc_sim.bits import OBJECTIVES
    from jscc_sim.codecs.binary_nets import NETS

    for name, objective in OBJECTIVES.items():
        noise = "adversarial levels" if objective.noise == "adversarial" else "the channel"
        says = f"gradients by {objective.gradient}, noise of {noise}"
        informed = f", information weighed by {objective.infomax:g}" if objective.infomax else ""
        yield Entry("objectives", name, " ".join(vars(objective)), says + informed)
    yield from (Entry("nets", name, "", _says(net)) for name, net in NETS.items())


def _says(part: object) -> str:
    """The first line of what something is."""
    return (inspect.getdoc(part) or "").partition("\n")[0].replace("`", "")
