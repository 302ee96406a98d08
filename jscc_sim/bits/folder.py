"""What is kept of a study: its codec, which sweeps take, and its result, in a folder of its own."""

from pathlib import Path
from typing import Any

from jscc_sim.bits.conduct import Hear, Studied, conduct, searched
from jscc_sim.bits.study import Study
from jscc_sim.checkpoint import Plain, Record, clear_state, has_part, save_part, write_json
from jscc_sim.codecs import BinaryCodec
from jscc_sim.data.parts import Parts
from jscc_sim.epochs import unheard
from jscc_sim.players import load_codec
from jscc_sim.results import recalled

CODEC, RESULT, TRAINING = "codec", "result.json", "training"
NEEDED = {"valid_sse", "test_sse", "test_sse_sampled", "loss", "cpu_seconds", "curve"}


def finish(
    study: Study, parts: Parts, folder: Path | None = None, *, device: str = "cpu", hear: Hear = unheard
) -> dict[str, Any]:
    """What a study comes to: as it is known from its folder, if one is given, or else trained and measured now.

    Training goes on from its last epoch if it was interrupted. A search that is asked for later is measured later.
    """
    result = recall(study, folder) if folder else None
    if result is None:
        saved = folder / TRAINING if folder else None
        studied = conduct(study, parts, device=device, saved=saved, hear=hear)
        result, codec = (save(studied, folder) if folder else studied.result), studied.codec
    elif folder:
        codec = load_binary(folder)
    if study.search and "test_sse_searched" not in result:
        result |= searched(codec, study, parts)
        if folder:
            write_json(folder / RESULT, result)
    return result


def save(studied: Studied, folder: Path) -> dict[str, Any]:
    """Write the codec and the result, which is returned, into a folder; the checkpoint there is cleared away."""
    study, codec = studied.study, studied.codec
    arguments: dict[str, Plain] = {
        "shape": list(codec.shape),
        "n": codec.n,
        "net": codec.net,
        "pixels": codec.pixels,
        "erasures": codec.erasures,
    }
    trained = {name: getattr(study, name) for name in ("data", "channel", "at", "flips", "objective")}
    record = Record("codec", "binary", arguments, None, None, study.seed, study.recipe.epochs, trained)
    save_part(folder / CODEC, record, codec.state_dict())
    result = {**studied.result, "curve": [epoch._asdict() for epoch in studied.epochs], "tried": studied.errors}
    write_json(folder / RESULT, result)
    clear_state(folder / TRAINING)
    return result


def recall(study: Study, folder: Path) -> dict[str, Any] | None:
    """What `save` wrote of the same study, if its codec is there; FileExistsError if the folder holds another study."""
    known = recalled(folder / RESULT, NEEDED, study.describe(), "study")
    return known if has_part(folder / CODEC) else None


def load_binary(folder: Path) -> BinaryCodec:
    """The codec that `save` wrote into a folder, or any other of bits; ValueError if it is of another kind."""
    codec, record = load_codec(folder)
    if not isinstance(codec, BinaryCodec):
        raise ValueError(f"{folder} holds a codec called {record.name!r}, which sends no bits")
    return codec
