"""Laws of all learned players known by name: each comes back from its checkpoint as it was, or not at all."""

from dataclasses import replace

import pytest
import torch

from channels import NeuralPolicy
from jscc_sim.checkpoint import Record, save_part
from jscc_sim.game import Game
from jscc_sim.players import CODECS, POLICIES, load_codec, load_policy

K = 2
WORDS = 2**10
ARGUMENTS = {
    "policy": {
        "per-symbol": {"hidden": 4},
        "source": {"k": K, "n": K, "hidden": 4},
        "tap": {"n": K, "tap_noise": 0.3, "hidden": 4},
        "vector": {"n": K, "hidden": 4},
    },
    "codec": {
        "free": {"k": K, "n": K, "hidden": 4},
        "per-symbol": {"k": K, "hidden": 4},
        "vector": {"k": K, "n": K, "hidden": 4},
    },
}
KNOWN = {"policy": POLICIES, "codec": CODECS}
LOAD = {"policy": load_policy, "codec": load_codec}
PLAYERS = [(kind, name) for kind, known in KNOWN.items() for name in known]


def test_no_player_is_forgotten():
    assert all(ARGUMENTS[kind].keys() == known.keys() for kind, known in KNOWN.items())


def outcome(kind, part):
    """What a player does with words, always the same ones."""
    torch.manual_seed(1)
    u = torch.randn(WORDS, K)
    with torch.no_grad():
        return part(u, u) if kind == "policy" else part.encode(u)


def saved(folder, kind, name, **arguments):
    record = Record(kind, name, ARGUMENTS[kind][name] | arguments, 7.0, -2.0, 5, 40)
    torch.manual_seed(0)
    part = KNOWN[kind][name](**ARGUMENTS[kind][name]).eval()
    save_part(folder / kind, record, part.state_dict())
    return part, record


@pytest.mark.parametrize(("kind", "name"), PLAYERS)
class TestEveryPlayer:
    def test_comes_back_as_it_was(self, kind, name, tmp_path):
        part, record = saved(tmp_path, kind, name)
        again, told = LOAD[kind](tmp_path)
        assert told == record
        assert not again.training
        assert repr(again) == repr(part)
        assert torch.equal(outcome(kind, again), outcome(kind, part))

    def test_has_learned_all_it_does(self, kind, name, tmp_path):
        """Its weights are in the checkpoint: those it was built with do not show."""
        part, _ = saved(tmp_path, kind, name)
        torch.manual_seed(9)
        assert not torch.equal(outcome(kind, KNOWN[kind][name](**ARGUMENTS[kind][name]).eval()), outcome(kind, part))

    def test_is_built_by_games(self, kind, name):
        """By the arguments that a game's checkpoint gives."""
        game = Game(K, **{kind: name}, **({"tap_noise": 0.3} if name == "tap" else {}))
        part = KNOWN[kind][name](**game.arguments[kind])
        assert outcome(kind, part.eval()).shape == (WORDS, K)

    @pytest.mark.parametrize(
        "arguments", [{"hidden": 5}, {"hidden": 4.5}, {"hidden": 0}, {"nonsense": 1}], ids=lambda given: str(given)
    )
    def test_with_other_arguments_it_is_refused(self, kind, name, arguments, tmp_path):
        saved(tmp_path, kind, name, **arguments)
        with pytest.raises(ValueError, match=f"{tmp_path} does not hold the weights it describes") as caught:
            LOAD[kind](tmp_path)
        assert "\n" not in str(caught.value)

    def test_with_weights_missing_or_left_over_it_is_refused(self, kind, name, tmp_path):
        part, record = saved(tmp_path, kind, name)
        first, *others = part.state_dict().items()
        for tensors in (dict(others), dict([first, *others]) | {"more": torch.zeros(1)}):
            save_part(tmp_path / kind, record, tensors)
            with pytest.raises(ValueError, match=f"{tmp_path} does not hold the weights it describes") as caught:
                LOAD[kind](tmp_path)
            assert "\n" not in str(caught.value)

    def test_under_the_name_of_nobody_it_is_refused(self, kind, name, tmp_path):
        part, record = saved(tmp_path, kind, name)
        save_part(tmp_path / kind, replace(record, name="nobody"), part.state_dict())
        with pytest.raises(ValueError, match=f"holds a {kind} called 'nobody', known are"):
            LOAD[kind](tmp_path)

    def test_as_the_other_kind_it_is_refused(self, kind, name, tmp_path):
        saved(tmp_path, kind, name)
        other = {"policy": "codec", "codec": "policy"}[kind]
        for suffix in (".json", ".safetensors"):
            (tmp_path / f"{kind}{suffix}").rename(tmp_path / f"{other}{suffix}")
        with pytest.raises(ValueError, match=f"describes a {kind}, not a {other}"):
            LOAD[other](tmp_path)


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "per-symbol"])
def test_policies_for_other_words_say_so(name, tmp_path):
    saved(tmp_path, "policy", name)
    policy, _ = load_policy(tmp_path)
    with pytest.raises(ValueError, match="words of 2 symbols, got words of 3"):
        policy(torch.zeros(5, 3), torch.zeros(5, 3))


def test_one_file_for_single_symbols_serves_any_word(tmp_path):
    saved(tmp_path, "policy", "per-symbol")
    policy, _ = load_policy(tmp_path)
    assert isinstance(policy.policy, NeuralPolicy)
    assert policy(torch.zeros(5, 7)).shape == (5, 7)
