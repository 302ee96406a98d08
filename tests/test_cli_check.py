"""``jscc-sim check-snr`` on small modules of a user's own: verdicts, exit codes, and errors of one line."""

import json
import re
import textwrap

import pytest

from jscc_sim.snr_check import HARMLESS

CODE = """
import torch


def encode(u):
    return {encode}


def factory(snr_db):
    return encode, lambda x: x + torch.randn_like(x) * ({power} * 10 ** (-snr_db / 10)) ** 0.5
"""
BITS = """
from channels import AWGN
from jscc_sim.codecs import {codec}


def factory(snr_db):
    return {codec}({k}), AWGN(1.0).at(snr_db)
"""


@pytest.fixture
def check(tmp_path, monkeypatch, run, request):
    """Write a module, check one of its attributes: exit code, lines of output, lines of errors."""
    module = re.sub(r"\W", "_", f"users_{request.node.name}")  # a module is imported once only, so each has its name

    def call(source: str, *options: str, attribute: str = "factory") -> tuple[int, list[str], list[str]]:
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)  # and is forgotten afterwards
        return run("check-snr", f"{module}:{attribute}", *options)

    return call


def own(encode: str = "u", power: float = 1.0) -> str:
    return CODE.format(encode=encode, power=power)


class TestVerdicts:
    def test_right_code_is_as_asked(self, check):
        code, lines, errors = check(own())
        assert (code, errors) == (0, [])
        assert lines[0] == "symbols per word           16 real, for k = 16"
        assert lines[-1].startswith("ok: as asked: ")

    def test_a_slip_is_named(self, check):
        code, lines, errors = check(own(power=0.5))
        assert (code, errors) == (1, [])
        assert [line for line in lines if ": " in line][-1].startswith("SLIP: 3 dB real/complex slip: delivers 13.0")

    @pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (2.0, 1)])
    def test_json_is_one_object(self, check, factor, code):
        found, lines, _ = check(own(power=factor), "--json", "--snr", "5")
        (report,) = map(json.loads, lines)
        assert found == code
        assert report["ok"] is (code == 0)
        assert report["snr_db"] == 5
        assert report["delivered_db"]["low"] < report["delivered_db"]["value"] < report["delivered_db"]["high"]
        assert ({finding["name"] for finding in report["findings"]} <= HARMLESS) is report["ok"]


class TestOptions:
    def test_the_budget_can_be_another(self, check):
        twice = own("2**0.5 * u", 2.0)
        assert check(twice)[0] == 1
        code, lines, _ = check(twice, "--power", "2")
        assert code == 0
        assert any(line.endswith("budget 2") for line in lines)

    def test_the_word_length_and_the_seed_can_be_others(self, check):
        _, (line,), _ = check(own(), "--k", "4", "--seed", "7", "--json")
        report = json.loads(line)
        assert (report["k"], report["n"], report["seed"]) == (4, 4, 7)

    @pytest.mark.parametrize(
        ("source", "power"), [("gaussian", 3), ("laplace", 6), ("uniform", 1.8), ("bits", 0.5), (None, 3)]
    )
    def test_the_words_can_be_others(self, check, source, power):
        """The fourth moment tells the sources apart, within 2 % (the worst, Laplace, has a standard error of 0.4 %)."""
        options = ("--source", source) if source else ()
        _, (line,), _ = check(own("u**2"), "--json", *options)
        assert json.loads(line)["power"]["value"] == pytest.approx(power, rel=0.02)

    def test_another_source_has_the_word_length_of_the_codec(self, check):
        code, (line,), _ = check(BITS.format(codec="Linear", k=3), "--source", "uniform", "--json")
        assert code == 0
        assert json.loads(line)["k"] == 3

    @pytest.mark.parametrize(
        ("option", "value", "said"),
        [
            ("--power", "0", "power must be positive and finite, got 0.0"),
            ("--power", "nan", "power must be positive and finite, got nan"),
            ("--snr", "101", "snr_db must lie within ±100, got 101.0"),
            ("--k", "5", "k must be 3, the word length of the codec or source, got 5"),
            ("--source", "image", "no source 'image': did you mean 'images'?"),
            ("--source", "images", "words of the source have k=784 symbols, and the codec takes 3"),
        ],
    )
    def test_are_checked(self, check, option, value, said):
        code, lines, errors = check(BITS.format(codec="Linear", k=3), option, value)
        assert (code, lines, len(errors)) == (2, [], 1)
        assert said in errors[0]


ERRORS = {
    "a missing module": ("import not_to_be_found_anywhere\n", "cannot be imported: ModuleNotFoundError: No module"),
    "a missing attribute": ("", "has no factory 'factory' that can be called"),
    "what cannot be called": ("factory = 3", "has no factory 'factory' that can be called"),
    "a factory that raises": (
        'def factory(snr_db):\n    raise RuntimeError("no weights\\nhere")',
        "factory(10) failed: RuntimeError: no weights here",
    ),
    "a factory of no argument": ("def factory():\n    return 1, 2", "factory(10) failed: TypeError: factory() takes 0"),
    "no pair": ("def factory(snr_db):\n    return snr_db", "must return (encode, channel) or a Link, got float"),
    "no callable": ("def factory(snr_db):\n    return abs, 0.1", "channel must be callable, got float"),
    "no tensor": ("def factory(snr_db):\n    return list, abs", "encode must return one tensor or array, got list"),
    "an array of objects": (
        "def factory(snr_db):\n    return lambda u: u.numpy(force=True).astype(object), abs",
        "can't convert np.ndarray of type numpy.object_",
    ),
    "a TypeError in encode": (
        "def factory(snr_db):\n    return lambda u: u + None, abs",
        "encode failed on words of shape (2, 16), as a tensor: TypeError",
    ),
}


class TestErrors:
    @pytest.mark.parametrize("what", ERRORS)
    def test_are_one_line(self, check, what):
        source, said = ERRORS[what]
        code, lines, errors = check(source)
        assert (code, lines, len(errors)) == (2, [], 1)
        assert errors[0].startswith("Error: ")
        assert said in errors[0]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("no_such_module_of_users:factory", "no_such_module_of_users cannot be imported: ModuleNotFoundError"),
            ("no colon", "'no colon' names no file and no factory: write package.module:factory"),
        ],
    )
    def test_a_name_may_name_nothing(self, run, name, said):
        code, _, (line,) = run("check-snr", name)
        assert code == 2
        assert said in line

    def test_another_attribute_can_be_named(self, check):
        code, _, _ = check(own().replace("def factory", "def mine"), attribute="mine")
        assert code == 0
