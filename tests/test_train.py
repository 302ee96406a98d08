"""Laws of training, on tiny budgets. Statistical tests have fixed seeds and false-alarm rate 1e-5 a number."""

import copy
import itertools
import json
import math
import shutil

import pytest
import torch
from scipy import stats
from torch import nn

from channels import (
    AWGN,
    Jammer,
    NeuralPolicy,
    NeuralSourcePolicy,
    NeuralTapPolicy,
    PerSymbolPolicy,
    SharedRotation,
    SharedSign,
    TwoPointPolicy,
    innermost,
)
from jscc_sim.case import Case
from jscc_sim.checkpoint import _digest
from jscc_sim.codecs import Codec, Linear, ModuleCodec, NeuralCodec, PerSymbolCodec, Repetition, TailSafeCodec
from jscc_sim.game import imitate_two_point
from jscc_sim.link import Link
from jscc_sim.montecarlo import sweep
from jscc_sim.sources import Bits, Gaussian
from jscc_sim.train import RECIPES, Recipe, Step, Training, fit, freeze

ALLOWED = float(stats.norm.isf(1e-5 / 2))  # standard errors
RECIPE = Recipe(steps=10, batch=64)
EVERY = 4
WORDS = 2**18


class Mine(nn.Module):
    """A user's policy: a module that sees the channel's input."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 2)

    def forward(self, x):
        return self.net(x) + torch.randn_like(x)


def jammer(policy):
    return Jammer(policy, 0.1, 0.8)


def vector():
    return TailSafeCodec(2, 2, hidden=4)


LINKS = {
    "nature": lambda: Link(Gaussian(2), vector(), AWGN(0.5)),
    "linear": lambda: Link(Gaussian(2), Linear(2), jammer(NeuralPolicy(2, hidden=4))),
    "per-symbol": lambda: Link(
        Gaussian(2),
        PerSymbolCodec(TailSafeCodec(1, 1, hidden=4), 2),
        jammer(PerSymbolPolicy(NeuralPolicy(1, hidden=4))),
    ),
    "vector": lambda: Link(Gaussian(2), vector(), jammer(NeuralPolicy(2, hidden=4))),
    "free, k != n": lambda: Link(Gaussian(1), NeuralCodec(1, 2, hidden=4), jammer(NeuralPolicy(2, hidden=4))),
    "modules": lambda: Link(Gaussian(2), ModuleCodec(nn.Linear(2, 2), nn.Linear(2, 2), 2, 2), jammer(Mine())),
    "tap, sign": lambda: Link(Gaussian(2), vector(), SharedSign(jammer(NeuralTapPolicy(2, 4, tap_noise=0.2)))),
    "source": lambda: Link(Gaussian(2), vector(), jammer(NeuralSourcePolicy(2, 2, hidden=4))),
    "vector, sign": lambda: Link(Gaussian(2), vector(), SharedSign(jammer(NeuralPolicy(2, hidden=4)))),
    "vector, rotation": lambda: Link(Gaussian(2), vector(), SharedRotation(jammer(NeuralPolicy(2, hidden=4)))),
}
CONTROLLED = ("linear", "per-symbol", "vector", "vector, sign", "vector, rotation")
JAMMED = [name for name in LINKS if name != "nature"]
# What befalls a payoff; of the last one only the gradient is not finite.
FAULTS = {
    "payoff": lambda payoff: payoff * math.nan,
    "infinite payoff": lambda payoff: payoff * math.inf,
    "great payoff": lambda payoff: payoff * 1e6,
    "gradient": lambda payoff: payoff + 0 * (0 * payoff).sqrt(),
}
NO_DESCRIPTION = ("", "{", "[1]", "5", "{}", "\0", '{"weights": 1, "sha256": ""}', '{"weights": ""}')
links = pytest.mark.parametrize("name", LINKS)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Powers measured on fewer words than in earnest, to save time."""
    monkeypatch.setattr("channels.jammer.MEASURED_SYMBOLS", WORDS)
    monkeypatch.setattr("jscc_sim.link.SYMBOLS", 2**16)
    monkeypatch.setattr("jscc_sim.train.SAMPLES", 2**14)


def made(name, seed=3):
    torch.manual_seed(seed)
    return LINKS[name]()


def state(link):
    """Everything that the players are, by name."""
    parts = {"codec": link.codec, "channel": link.channel}
    return {f"{part}.{key}": value.clone() for part in parts for key, value in parts[part].state_dict().items()}


def weights(link):
    parts = (link.codec, link.channel)
    return torch.cat([weight.detach().flatten() for part in parts for weight in part.parameters()])


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def stopped(name, path, number, every=EVERY):
    """A training that its caller left after so many steps; what it yielded."""
    steps = fit(made(name), RECIPE, saved=path, every=every)
    told = list(itertools.islice(steps, number))
    steps.close()
    return told


@pytest.fixture(scope="module")
def whole():
    """Uninterrupted trainings: what they yielded, and the players in the end."""
    known = {}

    def train(name):
        if name not in known:
            link = made(name)
            known[name] = list(fit(link, RECIPE)), state(link)
        return known[name]

    return train


class TestRecipe:
    @pytest.mark.parametrize("name", RECIPES)
    def test_those_with_names_are_shown_in_full(self, name):
        assert eval(repr(RECIPES[name])) == RECIPES[name]  # noqa: S307

    @pytest.mark.parametrize(
        "wrong",
        [{"steps": 0}, {"batch": 0}, {"attacks": 0}, {"replies": 0}, {"lr": 0.0}, {"lr": math.nan}, {"pace": -1.0}]
        + [{"averaging": averaging} for averaging in (-0.1, 1.0, math.nan)],
    )
    def test_names_what_is_out_of_range(self, wrong):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"{name}.* must|must .* {name}"):
            Recipe(**wrong)


class TestFit:
    def test_a_codec_learns_against_nature(self):
        torch.manual_seed(0)
        link = Link(Gaussian(), NeuralCodec(hidden=16), AWGN(0.5))
        (before,) = sweep([Case(link.eval())])
        list(fit(link, Recipe(steps=250, batch=256, lr=1e-2)))
        (after,) = sweep([Case(link)])
        assert before.low > 1.1 * after.high
        assert after.mean == pytest.approx(1 / 3, rel=0.02)

    @links
    def test_yields_every_step(self, name, whole):
        told, _ = whole(name)
        assert [step.number for step in told] == list(range(1, RECIPE.steps + 1))
        assert all(isinstance(step, Step) and 0 < step.payoff < 10 for step in told)

    @links
    def test_repeats_exactly_and_ends_in_evaluation(self, name, whole):
        link = made(name)
        assert list(fit(link, RECIPE)) == whole(name)[0]
        assert same(state(link), whole(name)[1])
        assert not any(part.training for part in (link.codec, link.channel))

    def test_another_seed_is_another_training(self, whole):
        assert list(fit(made("vector", seed=4), RECIPE)) != whole("vector")[0]

    def test_a_link_without_parameters_is_refused(self):
        with pytest.raises(ValueError, match="nothing to train"):
            next(fit(Link(Gaussian(), Linear(), Jammer(TwoPointPolicy(), 0.1)), RECIPE))

    def test_a_source_of_great_power_is_no_divergence(self):
        link = Link(Gaussian(covariance=[[1e6]]), NeuralCodec(hidden=4), AWGN(1.0))
        assert len(list(fit(link, RECIPE))) == RECIPE.steps

    def test_players_that_rest_stay_as_they_are(self):
        link = made("vector")
        link.codec.requires_grad_(False)
        before = copy.deepcopy(list(link.codec.parameters()))
        list(fit(link, RECIPE))
        assert all(torch.equal(old, new) for old, new in zip(before, link.codec.parameters(), strict=True))

    def test_a_policy_that_returns_another_shape_is_named(self):
        link = Link(Gaussian(), TailSafeCodec(hidden=4), Jammer(nn.Linear(1, 3), 0.1))
        with pytest.raises(ValueError, match=r"signal has shape \(64, 3\), but the words \(64, 1\)"):
            next(fit(link, RECIPE))

    def test_every_must_be_positive(self, tmp_path):
        with pytest.raises(ValueError, match="every must be at least 1, got 0"):
            next(fit(made("nature"), RECIPE, saved=tmp_path / "training", every=0))


class TestZeroSum:
    def test_the_jammer_raises_what_the_codec_lowers(self):
        """A codec that knows a two-point jammer and then rests loses to a jammer that learns."""
        torch.manual_seed(0)
        codec = NeuralCodec(hidden=16)
        list(fit(Link(Gaussian(), codec, Jammer(TwoPointPolicy(), 0.1)), Recipe(steps=250, batch=256, lr=1e-2)))
        codec.requires_grad_(False)
        link = Link(Gaussian(), codec, Jammer(NeuralPolicy(hidden=16), 0.1))
        imitate_two_point(link.channel.policy)
        freeze(link)
        (before,) = sweep([Case(link)])
        list(fit(link, Recipe(steps=120, batch=256, lr=1e-2, pace=1.0)))
        (after,) = sweep([Case(link)])
        assert after.low > 1.02 * before.high

    @pytest.mark.parametrize("control", [True, False])
    @pytest.mark.parametrize("name", ["vector", "source"])
    def test_each_step_goes_its_players_way(self, name, control, monkeypatch):
        """On the same draws, after one small step of its own the adversary's payoff is higher, the learner's lower."""
        for side, sign in (("adversary", 1), ("learner", -1)):
            training = Training(made(name), Recipe(steps=1, batch=2**14, lr=1e-4, pace=1.0, control=control))
            other = {"adversary": "learner", "learner": "adversary"}[side]
            monkeypatch.setattr(getattr(training, other), "lower", lambda stake: None)
            payoffs = []
            for _ in range(2):
                torch.manual_seed(7)
                payoffs.append(float(training._payoff(None)[0].detach()))
                torch.manual_seed(7)
                training._turns()
            assert sign * (payoffs[1] - payoffs[0]) > 0


class TestControlVariate:
    @staticmethod
    def gradients(link, control, batches=250):
        """Those of the adversary's stake, one row a batch, at the weights where it starts; the same draws each time."""
        training, rows = Training(link, Recipe(steps=batches, batch=256, control=control)), []

        def collect(stake):
            rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(stake, training.adversary.weights)]))

        training.adversary.lower, training.learner.lower = collect, lambda stake: None
        torch.manual_seed(5)
        for _ in range(batches):
            training.step()
        return torch.stack(rows).double()

    @staticmethod
    def nearly_linear(name):
        """A codec as it is near the saddle point."""
        link = made(name)
        with torch.no_grad():
            for weight in link.codec.parameters():
                weight.mul_(0.4)
        return link

    @pytest.mark.slow
    @pytest.mark.parametrize("name", CONTROLLED)
    def test_it_changes_gradients_by_noise_alone(self, name):
        controlled, plain = (self.gradients(self.nearly_linear(name), control) for control in (True, False))
        change = controlled - plain
        errors = change.std(0) / math.sqrt(len(change))
        assert (errors > 0).any()
        assert (change.mean(0).abs() <= ALLOWED * errors + 1e-9).all()
        assert controlled.var(0).sum() < 0.05 * plain.var(0).sum()

    @links
    def test_it_is_for_blind_jammers_and_as_many_symbols_as_uses(self, name):
        assert (Training(made(name), RECIPE).reference is not None) == (name in CONTROLLED)
        assert Training(made(name), Recipe(control=False)).reference is None

    def test_it_is_not_for_bits(self):
        link = Link(Bits(2), Repetition(2, 1), jammer(NeuralPolicy(2, hidden=4)))
        assert Training(link, RECIPE).reference is None


class TestAverages:
    @pytest.mark.parametrize("averaging", [0.6, 0.95])
    def test_what_is_left_is_the_polyak_average(self, averaging):
        """The mean of all weights at first, from 1/(1 − averaging) steps on exponential."""
        link = made("vector")
        average, last = weights(link), None
        for step in fit(link, Recipe(steps=30, batch=64, averaging=averaging)):
            last = weights(link)
            average = average + max(1 - averaging, 1 / (step.number + 1)) * (last - average)
        assert torch.allclose(weights(link), average, rtol=1e-4, atol=1e-6)
        assert not torch.allclose(weights(link), last, rtol=1e-4, atol=1e-6)

    def test_without_averaging_the_last_weights_are_left(self):
        link, last = made("vector"), None
        for _ in fit(link, Recipe(steps=10, batch=64, averaging=0.0)):
            last = weights(link)
        assert torch.equal(weights(link), last)

    def test_a_snapshot_is_what_would_be_left_and_disturbs_nothing(self, whole):
        link = made("vector")
        training = Training(link, RECIPE)
        told, shots = [], []
        for step in training.run():
            told.append(step)
            shots.append(training.snapshot())
        assert (told, same(state(link), whole("vector")[1])) == (whole("vector")[0], True)
        assert same(state(shots[-1]), state(link))
        assert not any(shot.codec.training or shot.channel.training for shot in shots)
        assert not same(state(shots[0]), state(link))


class TestResume:
    @pytest.mark.parametrize("number", [EVERY, EVERY + 2, RECIPE.steps])
    @links
    def test_a_stopped_training_ends_as_if_it_had_never_stopped(self, name, number, whole, tmp_path):
        """Right at a checkpoint, between two, and after the last step; payoffs and players bit for bit."""
        path = tmp_path / "folder" / "training"
        before = stopped(name, path, number)
        link = made(name, seed=99)  # all of it comes from the checkpoint
        after = list(fit(link, RECIPE, saved=path, every=EVERY))
        assert before + after == whole(name)[0]
        assert same(state(link), whole(name)[1])

    def test_stopped_at_every_step(self, whole, tmp_path):
        path, told = tmp_path / "training", []
        for _ in range(RECIPE.steps):
            told += stopped("vector", path, 1)
        link = made("vector", seed=99)
        assert told + list(fit(link, RECIPE, saved=path)) == whole("vector")[0]
        assert same(state(link), whole("vector")[1])
        assert len(list(tmp_path.iterdir())) == 2

    @pytest.mark.parametrize("number", [EVERY + 1, 2 * EVERY + 1])
    def test_a_killed_one_goes_on_from_its_last_checkpoint(self, number, whole, tmp_path):
        """A copy of the folder is all that a kill would leave."""
        steps = fit(made("per-symbol"), RECIPE, saved=tmp_path / "a" / "training", every=EVERY)
        list(itertools.islice(steps, number))
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        steps.close()
        link = made("per-symbol", seed=99)
        told = list(fit(link, RECIPE, saved=tmp_path / "b" / "training", every=EVERY))
        assert told == whole("per-symbol")[0][EVERY * (number // EVERY) :]
        assert same(state(link), whole("per-symbol")[1])

    def test_payoffs_are_all_known_afterwards(self, whole, tmp_path):
        stopped("vector", tmp_path / "training", 6)
        training = Training(made("vector"), RECIPE)
        list(training.run(tmp_path / "training"))
        assert training.payoffs.tolist() == [step.payoff for step in whole("vector")[0]]

    def test_nothing_is_saved_unless_asked(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        stopped("nature", None, 6)
        assert not list(tmp_path.iterdir())


class TestDamage:
    """One line that names the file, and nothing is lost."""

    @pytest.fixture
    def path(self, tmp_path):
        stopped("vector", tmp_path / "training", 6)
        return tmp_path / "training"

    @staticmethod
    def refuses(path, match, link=None, recipe=RECIPE, kind=ValueError):
        before = {file: file.read_bytes() for file in path.parent.iterdir()}
        with pytest.raises(kind, match=match) as caught:
            next(fit(link or made("vector"), recipe, saved=path))
        said = str(caught.value)
        assert str(path.parent) in said
        assert "\n" not in said
        assert len(said) < 600
        assert before == {file: file.read_bytes() for file in path.parent.iterdir()}

    def test_of_another_recipe(self, path):
        self.refuses(path, r"training\.json was saved from another recipe", recipe=Recipe(steps=11, batch=64))

    @pytest.mark.parametrize(
        "link",
        [
            lambda: made("per-symbol"),
            lambda: made("vector, sign"),
            lambda: Link(Gaussian(3), TailSafeCodec(3, 3, hidden=4), jammer(NeuralPolicy(3, hidden=4))),
            lambda: Link(Gaussian(2), vector(), Jammer(NeuralPolicy(2, hidden=4), 0.2, 0.8)),
        ],
        ids=["codec", "secret", "k", "noise power"],
    )
    def test_of_another_link(self, path, link):
        self.refuses(path, r"training\.json was saved from another link", link())

    def test_of_another_seed(self, path):
        training = Training(made("vector"), RECIPE, seed=1)
        with pytest.raises(ValueError, match=r"training\.json was saved from another seed"):
            next(training.run(path))

    @pytest.mark.parametrize("cut", [0, 100, -1])
    def test_weights_cut_short(self, path, cut):
        file = path.with_name("training-6.safetensors")
        file.write_bytes(file.read_bytes()[:cut])
        self.refuses(path, r"training-6\.safetensors is not the file .* sha256 differs")

    def test_weights_tampered_with(self, path):
        file = path.with_name("training-6.safetensors")
        raw = bytearray(file.read_bytes())
        raw[-5] ^= 1
        file.write_bytes(raw)
        self.refuses(path, "sha256 differs")

    def test_weights_missing(self, path):
        path.with_name("training-6.safetensors").unlink()
        self.refuses(path, r"training-6\.safetensors, which is missing", kind=FileNotFoundError)

    @pytest.mark.parametrize("text", NO_DESCRIPTION)
    def test_a_description_that_is_none(self, path, text):
        path.with_suffix(".json").write_text(text)
        self.refuses(path, r"training\.json does not describe what is saved there")

    @pytest.mark.parametrize("change", [{"done": 7}, {"done": None}, {"done": "x"}, {"sha256": "0"}, {"sha256": None}])
    def test_a_description_tampered_with(self, path, change):
        file = path.with_suffix(".json")
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        self.refuses(path, "speaks of .* steps, but its weights of 6|sha256 differs")

    def test_weights_of_other_players_under_their_own_digest(self, path):
        stopped("per-symbol", path.parent / "other" / "training", 6)
        said, others = (json.loads((path.parent / at / "training.json").read_text()) for at in ("", "other"))
        weights = path.with_name(said["weights"])
        shutil.move(path.parent / "other" / others["weights"], weights)
        said.pop("sha256")
        digest = _digest(weights.read_bytes(), said)
        path.with_suffix(".json").write_text(json.dumps(said | {"sha256": digest}))
        shutil.rmtree(path.parent / "other")
        self.refuses(path, "lacks what it describes")


class TestDivergence:
    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("step", [2, 2 * EVERY - 1])
    def test_it_stops_with_the_step_and_keeps_the_last_good_checkpoint(self, fault, step, whole, tmp_path, monkeypatch):
        """Training that goes on once the fault is mended ends as if there had been none."""
        path, calls = tmp_path / "training", itertools.count()

        def loss(codec, u, y, law):
            payoff = Codec.loss(codec, u, y, law)
            return FAULTS[fault](payoff) if next(calls) // 2 >= step else payoff  # two turns a step

        told = []
        with monkeypatch.context() as patched:
            patched.setattr(TailSafeCodec, "loss", loss)
            steps = fit(made("vector"), RECIPE, saved=path, every=EVERY)
            with pytest.raises(FloatingPointError, match=f"step {step}.*lower lr") as said:
                told.extend(steps)
        assert "\n" not in str(said.value)
        assert len(told) == step
        kept = EVERY * (step // EVERY)
        assert path.with_suffix(".json").exists() == bool(kept)
        link = made("vector")
        assert told[:kept] + list(fit(link, RECIPE, saved=path, every=EVERY)) == whole("vector")[0]
        assert same(state(link), whole("vector")[1])

    def test_a_jammer_that_is_not_finite_is_named_with_the_step(self):
        link = made("vector")
        with torch.no_grad():
            link.channel.policy.shaped.line.weight.fill_(math.nan)
        with pytest.raises(FloatingPointError, match=r"the policy's signal is not finite.*\(step 0\)"):
            next(fit(link, RECIPE))


class TestBudget:
    @pytest.mark.parametrize("name", JAMMED)
    def test_in_training_every_batch_spends_exactly_its_power(self, name):
        link, powers = made(name), []
        unit = innermost(link.channel).unit
        unit.register_forward_hook(lambda module, given, a: powers.append(float(a.detach().square().mean())))
        steps = fit(link, RECIPE)
        for _ in itertools.islice(steps, RECIPE.steps):
            pass
        assert len(powers) >= RECIPE.steps
        assert powers == pytest.approx([1.0] * len(powers), abs=1e-5)

    @pytest.mark.parametrize("name", JAMMED)
    def test_afterwards_it_spends_it_on_average(self, name):
        """By independent words; what was frozen may itself be a measurement on as many."""
        link = made(name)
        list(fit(link, RECIPE))
        torch.manual_seed(11)
        with torch.no_grad():
            u = link.source.draw(WORDS // link.codec.n)
            x = link.codec.encode(u)
            inside = innermost(link.channel)
            spent = inside.limit(inside.raw(x, u)).double().square().mean(-1)
            sent = x.double().square().mean(-1)
        for power in (spent, sent):
            error = float(power.std()) / math.sqrt(len(power))
            assert abs(float(power.mean()) - 1) < ALLOWED * math.sqrt(2) * error
            assert error < 0.01
