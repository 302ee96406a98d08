"""A study conducted and kept: here, or by a worker that loads by name what it needs."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jscc_sim.autoencoders.training import Hear
from jscc_sim.data.parts import Parts, load_parts
from jscc_sim.epochs import unheard
from jscc_sim.image_metrics import Reference
from jscc_sim.regularise.conduct import conduct
from jscc_sim.regularise.folder import TRAINING, save
from jscc_sim.regularise.study import Study


def finish(
    study: Study,
    parts: Parts,
    reference: Reference,
    folder: Path | None = None,
    *,
    device: str = "cpu",
    hear: Hear = unheard,
) -> dict[str, Any]:
    """Train and measure a study, from its last epoch if it was interrupted, and save it if there is a folder."""
    saved = folder / TRAINING if folder else None
    studied = conduct(study, parts, reference, device=device, saved=saved, hear=hear)
    return save(studied, folder) if folder else studied.result


def finish_by_name(study: Study, folder: Path | None = None, *, device: str = "cpu") -> dict[str, Any]:
    """The same with images, and their features, that the process keeps for its next study."""
    return finish(study, _parts(study.data), reference_of(study), folder, device=device)


def reference_of(study: Study) -> Reference:
    """What a study's images are compared with, whose features the process keeps."""
    return _reference(study.data, study.split, study.judged_images, study.extractor)


@lru_cache
def _parts(data: str) -> Parts:
    return load_parts(data)


@lru_cache
def _reference(data: str, split: str, judged_images: int | None, extractor: str) -> Reference:
    judged = Study(data, "none", split=split, judged_images=judged_images).judged(_parts(data))
    return Reference(judged.images, extractor)
