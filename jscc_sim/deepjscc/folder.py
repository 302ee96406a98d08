"""What is kept of a study: its codec, which sweeps take, the jammer if one learned, and its result, in one folder."""

from pathlib import Path
from typing import Any

from channels import Channel, Jammer
from jscc_sim.checkpoint import Plain, Record, clear_state, has_part, save_part, write_json
from jscc_sim.codecs import DeepJSCC
from jscc_sim.data.parts import Parts
from jscc_sim.deepjscc.conduct import Hear, Studied, conduct
from jscc_sim.deepjscc.study import HIDDEN, Study
from jscc_sim.epochs import unheard
from jscc_sim.players import load_codec, load_policy
from jscc_sim.results import recalled

CODEC, POLICY, RESULT, TRAINING = "codec", "policy", "result.json", "training"
NEEDED = {"test_psnr", "test_psnr_error", "test_ssim", "test_ssim_error", "judged_at", "cpu_seconds", "curve"}


def finish(
    study: Study, parts: Parts, folder: Path | None = None, *, device: str = "cpu", hear: Hear = unheard
) -> dict[str, Any]:
    """What a study comes to: as it is known from its folder, if one is given, or else trained and measured now.

    Training goes on from its last epoch if it was interrupted, and begins anew if what was trained is gone.
    """
    if folder is None:
        return conduct(study, parts, device=device, hear=hear).result
    known = recalled(folder / RESULT, NEEDED, study.describe(), "study")
    parts_there = has_part(folder / CODEC) and (study.channel != "jammer" or has_part(folder / POLICY))
    if known and parts_there:
        return known
    return save(conduct(study, parts, device=device, saved=folder / TRAINING, hear=hear), folder)


def save(studied: Studied, folder: Path) -> dict[str, Any]:
    """Write what learned and the result, which is returned, into a folder; the checkpoint there is cleared away."""
    study, codec, channel = studied.study, studied.codec, studied.channel
    arguments: dict[str, Plain] = {
        "shape": list(codec.shape),
        "n": codec.n,
        "net": codec.net,
        "adaptive": codec.adaptive,
        "peak": codec.peak,
        "snr_db": codec.snr_db,
    }
    trained: dict[str, Plain] = {
        "data": study.data,
        "channel": study.channel,
        "at": study.middle,
        "sjr_db": study.sjr_db,
    }
    record = Record("codec", "deepjscc", arguments, None, None, study.seed, study.recipe.epochs, trained)
    save_part(folder / CODEC, record, codec.state_dict())
    if isinstance(channel, Jammer):
        hidden: dict[str, Plain] = {"hidden": HIDDEN}
        game = Record("policy", "per-symbol", hidden, study.middle, study.sjr_db, study.seed, study.recipe.epochs)
        save_part(folder / POLICY, game, channel.policy.state_dict())
    result = {**studied.result, "curve": [epoch._asdict() for epoch in studied.epochs], "tried": studied.errors}
    write_json(folder / RESULT, result)
    clear_state(folder / TRAINING)
    return result


def load_channel(study: Study, folder: Path) -> Channel:
    """The channel of the study, with the jammer that learned against its codec if it is one, in evaluation."""
    channel = study.link()
    if not isinstance(channel, Jammer):
        return channel
    policy, _ = load_policy(folder)
    return Jammer(policy, channel.noise_power, channel.jam_power).eval()


def load_deepjscc(folder: Path) -> DeepJSCC:
    """The codec that `save` wrote into a folder; ValueError if it is of another kind."""
    codec, record = load_codec(folder)
    if not isinstance(codec, DeepJSCC):
        raise ValueError(f"{folder} holds a codec called {record.name!r}, not DeepJSCC")
    return codec
