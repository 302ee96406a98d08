"""What is kept of a study: its result, latents and model, in a folder of its own."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from jscc_sim.autoencoders import Autoencoder
from jscc_sim.checkpoint import clear_state, load_state, save_state, write_json
from jscc_sim.regularise.conduct import Studied
from jscc_sim.regularise.study import Study
from jscc_sim.results import read_result, recalled
from jscc_sim.seeds import seeded
from jscc_sim.states import Tensors, pack, unpack

RESULT, LATENTS, DRAWN, MODEL, TRAINING = "result.json", "latents.npy", "drawn.npy", "model", "training"
# So many latents that were drawn are kept, for figures.
KEPT = 100
DISTANCES = {"fd", "fd_fitted", "fd_reconstructed"}
NEEDED = DISTANCES | {"mse", "hz", "ks", "ks_train", "energy_whitened", "dpc", "seconds_per_epoch", "curve"}


def save(studied: Studied, folder: Path) -> dict[str, Any]:
    """Write model, latents and the result, which is returned, into a folder; the checkpoint there is cleared away."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / LATENTS, studied.latents.float().numpy())
    np.save(folder / DRAWN, studied.drawn[:KEPT].float().numpy())
    tensors: Tensors = {}
    state = pack(studied.model.state_dict(), MODEL, tensors)
    said = {"done": studied.study.schedule.epochs, "study": studied.study.describe(), "shape": list(studied.shape)}
    save_state(folder / MODEL, {**said, "state": state}, tensors)
    result = {**studied.result, "curve": [epoch._asdict() for epoch in studied.epochs]}
    write_json(folder / RESULT, result)
    clear_state(folder / TRAINING)
    return result


def load_result(folder: Path) -> dict[str, Any]:
    """The result that `save` wrote into a folder; ValueError if it is damaged."""
    return read_result(folder / RESULT, NEEDED, "study")


def recall(study: Study, folder: Path) -> dict[str, Any] | None:
    """What `save` wrote of the same study, if anything; FileExistsError if the folder holds another study."""
    return recalled(folder / RESULT, NEEDED, study.describe(), "study")


def load_model(folder: Path) -> Autoencoder:
    """The trained model that `save` wrote into a folder, in evaluation; ValueError if it is damaged."""
    if not (folder / MODEL).with_suffix(".json").is_file():
        raise FileNotFoundError(f"no model in {folder}: name the folder of one method and seed, such as DIR/jamming-0")
    said, tensors = load_state(folder / MODEL)
    try:
        told = cast("dict[str, Any]", said)
        about = {name: told["study"][name] for name in ("data", "method", "k", "family", "seed", "prior")}
        with seeded(0):
            model = Study(**about).model(tuple(told["shape"]))
        model.load_state_dict(cast("dict[str, Any]", unpack(told["state"], tensors)))
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{folder} does not hold the model it describes: {str(error).splitlines()[0]}") from None
    return model.eval()
