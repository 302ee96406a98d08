"""A study conducted: trained, selected on validation images, and measured on unseen ones."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jscc_sim.bits.distortion import distortion, drawing
from jscc_sim.bits.search import chosen_search
from jscc_sim.bits.study import Study
from jscc_sim.bits.training import Epoch, Training
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Parts
from jscc_sim.epochs import unheard
from jscc_sim.seeds import seeded

Hear = Callable[[Epoch], None]
# How often the test images are sent.
DRAWS = 10
# Of validation images, so many choose how hard the transmitter searches.
CHOOSING = 1000


@dataclass(frozen=True, eq=False)
class Studied:
    """The trained codec, its epochs, the validation errors of those that were tried, and what was measured."""

    study: Study
    codec: BinaryCodec
    epochs: list[Epoch]
    errors: dict[int, float]
    result: dict[str, Any]


def conduct(
    study: Study, parts: Parts, *, device: str = "cpu", saved: Path | None = None, hear: Hear = unheard
) -> Studied:
    """Train, then measure with both encoders, the likelier symbols and drawn ones, over ten draws of the channel.

    With ``saved``, training goes on from the checkpoint there, if one is, and leaves one after each epoch.
    """
    validation = study.judged(parts.validation)
    with seeded(study.seed, device):
        codec = study.codec(parts).to(device)
        images, held = study.train(parts).to(device), validation.to(device)
        training = Training(codec, study.link, study.sought, images, held, study.recipe, study.describe())
        for _ in training.run(saved, hear):
            pass
    codec.cpu()
    start, best = time.process_time(), training.epochs[training.selected.epoch - 1]
    result = {
        **study.describe(),
        "pixels": codec.pixels,
        "parameters": sum(weights.numel() for weights in codec.parameters()),
        "bf16": training.precision.bf16,
        "selected_epoch": training.selected.epoch,
        **measured(codec, study, parts),
        **{name: value for name, value in best._asdict().items() if name != "number"},
        "cpu_seconds": round(training.seconds, 2),
    }
    result["measuring_seconds"] = round(time.process_time() - start, 2)
    return Studied(study, codec, training.epochs, training.selected.errors, result)


def measured(codec: BinaryCodec, study: Study, parts: Parts) -> dict[str, float]:
    """Squared errors per image by part and encoder; of black-and-white images the cross-entropy in nats per pixel too.

    ``_error`` is a standard error over images.
    """
    found: dict[str, float] = {}
    for part, images in (("valid", study.judged(parts.validation)), ("test", study.judged(parts.test))):
        for ending, sender in (("", codec), ("_sampled", drawing(codec))):
            squared = distortion(sender, study.link, images, draws=DRAWS, squared=True)
            found |= {f"{part}_sse{ending}": squared.mean, f"{part}_sse{ending}_error": squared.error}
            if codec.pixels == "bernoulli":
                nats = distortion(sender, study.link, images, draws=DRAWS)
                found[f"{part}_nats{ending}"] = nats.mean / codec.k
    return found


def searched(codec: BinaryCodec, study: Study, parts: Parts) -> dict[str, Any]:
    """The squared error of test images with encoder search, and what it was chosen from on validation images."""
    start = time.process_time()
    sender, tried = chosen_search(codec, study.link, study.judged(parts.validation)[:CHOOSING])
    found = distortion(sender, study.link, study.judged(parts.test), draws=DRAWS, squared=True)
    said = {"search_draws": sender.draws, "search_rounds": sender.rounds, "search_flips": sender.tried}
    errors = {"test_sse_searched": found.mean, "test_sse_searched_error": found.error}
    return {**errors, **said, "searches": tried, "searching_seconds": round(time.process_time() - start, 2)}
