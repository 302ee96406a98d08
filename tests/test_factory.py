"""Parts that a user brings are found in the working directory, checked, and refused in one line that says why."""

import sys
import textwrap

import pytest
import torch

from channels import BSC
from jscc_sim.case import Case
from jscc_sim.cli import main
from jscc_sim.factory import is_factory, load_factory, make_codec
from jscc_sim.link import Link
from jscc_sim.sources import Bits, Gaussian

CODEC = """
import math, torch
from jscc_sim.codecs import Codec
from jscc_sim.codecs.base import BitCodec

class Mine(Codec):
    def __init__(self, k, n):
        super().__init__()
        self.k, self.n = k, n

    def encode(self, u):
        return {encode}

    def decode(self, y, law):
        return {decode}

def factory(k, n):
    return {factory}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def mine(folder, request):
    """Writes a module of one's own and returns the name of its factory."""

    def write(encode="u", decode="y / 2", factory="Mine(k, n)", module="mine") -> str:
        text = CODEC.format(encode=encode, decode=decode, factory=factory)
        (folder / f"{module}.py").write_text(text)
        return f"{module}:factory"

    return write


class TestIsFound:
    def test_in_the_working_directory(self, mine):
        codec, digest = make_codec(mine(), Gaussian(3), None)
        assert (codec.k, codec.n, codec.training) == (3, 3, False)
        assert len(digest) == 16

    def test_in_a_package(self, mine, folder):
        (folder / "parts").mkdir()
        mine(module="parts/deep")
        assert make_codec("parts.deep:factory", Gaussian(2), None)[0].k == 2

    def test_with_the_length_asked_for_or_its_own(self, mine):
        name = mine(encode="torch.nn.functional.pad(u, (0, self.n - self.k))", decode="y[:, :self.k]")
        assert make_codec(name, Gaussian(2), 5)[0].n == 5

    def test_with_its_files_digest_as_part_of_the_key(self, mine):
        def case(name: str) -> Case:
            codec, digest = make_codec(name, Bits(), None)
            return Case(Link(Bits(), codec, BSC(0.1)), origin=digest)

        # Both describe themselves alike; what they do differs.
        parts = {"encode": "1 - 2 * u", "factory": "type('Mine', (Mine, BitCodec), {})(k, n)"}
        one = case(mine(decode="(y < 0).to(y)", **parts, module="one"))
        two = case(mine(decode="(y > 0).to(y)", **parts, module="two"))
        assert repr(one.link) == repr(two.link)
        assert one.key != two.key

    def test_as_the_command_line_says(self, mine, capsys):
        command = ["sweep", "--channel", "awgn", "--snr", "0", "--codec", mine(), "--source", "gaussian", "--json"]
        assert main(command) == 0
        alone = capsys.readouterr().out
        assert main([*command, "--workers", "2"]) == 0
        assert capsys.readouterr().out == alone

    @pytest.mark.parametrize(
        ("name", "right"),
        [
            ("a:b", True),
            ("a.b:c", True),
            ("a", False),
            ("a/b:c", False),
            ("a:b.c", False),
            (":b", False),
            ("a:", False),
        ],
    )
    def test_by_names_of_its_form(self, name, right):
        assert is_factory(name) == right
        if not right:
            with pytest.raises(ValueError, match=r"package\.module:factory"):
                load_factory(name)


class TestIsRefused:
    """One line that names the factory and what is wrong; the command line exits with 2."""

    @pytest.mark.parametrize(
        ("parts", "said"),
        [
            ({"factory": "1 / 0"}, r"mine:factory\(2, 2\) failed: ZeroDivisionError: division by zero"),
            ({"factory": "exit(3)"}, r"mine:factory\(2, 2\) failed: SystemExit: 3"),
            ({"factory": "int('two\\nlines')"}, r"mine:factory\(2, 2\) failed: ValueError: invalid literal"),
            ({"factory": "None"}, "must return a jscc_sim.codecs.Codec, got NoneType"),
            ({"factory": "Mine"}, "must return a jscc_sim.codecs.Codec, got ABCMeta"),
            ({"factory": "Codec()"}, "failed: TypeError: Can't instantiate abstract class Codec"),
            ({"factory": "Mine(k + 1, n)"}, "must return a codec of k=2, got one of k=3, n=2"),
            ({"factory": "Mine(k, 0)"}, "must return a codec of k=2, got one of k=2, n=0"),
            ({"factory": "Mine(k, None)"}, "must return a codec of k=2, got one of k=2, n=None"),
            ({"factory": "delattr(c := Mine(k, n), 'k') or c"}, "must return a codec of k=2, got one of k=None, n=2"),
            (
                {"encode": "u[:, :1]"},
                r"encode of mine:factory returned shape \(131072, 1\), but \(131072, 2\) is right",
            ),
            ({"decode": "y.sum(-1)"}, r"decode of mine:factory returned shape \(131072,\), but \(131072, 2\) is right"),
            ({"encode": "u / 0"}, "encode of mine:factory returned numbers that are not finite"),
            ({"decode": "y * math.nan"}, "decode of mine:factory returned numbers that are not finite"),
            ({"encode": "1.05 * u"}, "encode of mine:factory sends power 1.1.* over its budget of 1"),
            ({"encode": "u.numpy()"}, "the codec of mine:factory failed on words .*not ndarray"),
            ({"decode": "None"}, "the codec of mine:factory failed on words .*not NoneType"),
            ({"encode": "u.missing"}, "the codec of mine:factory failed on words .*AttributeError"),
            ({"encode": "u + 0j"}, "complex"),
        ],
    )
    def test_for_what_it_makes(self, mine, capsys, parts, said):
        name = mine(**parts)
        with pytest.raises(ValueError, match=said) as caught:
            make_codec(name, Gaussian(2), None)
        assert "\n" not in str(caught.value)
        command = ["sweep", "--channel", "awgn", "--snr", "0", "--codec", name, "--source", "gaussian", "--k", "2"]
        assert main(command) == 2
        assert capsys.readouterr().err == f"Error: {caught.value}\n"

    def test_for_another_length_than_asked(self, mine):
        with pytest.raises(ValueError, match="must return a codec of k=2, n=4, got one of k=2, n=2"):
            make_codec(mine(factory="Mine(k, k)"), Gaussian(2), 4)

    def test_for_another_alphabet(self, mine):
        bits = "type('Mine', (Mine, BitCodec), {})(k, n)"
        with pytest.raises(ValueError, match="encodes bits, but Gaussian draws real numbers"):
            make_codec(mine(factory=bits), Gaussian(2), None)

    def test_for_bits_that_are_no_numbers(self, mine):
        sure = mine(encode="1 - 2 * u", decode="y < 0", factory="type('Mine', (Mine, BitCodec), {})(k, n)")
        with pytest.raises(ValueError, match=r"decode of mine:factory returned torch\.bool: return floating-point"):
            make_codec(sure, Bits(2), None)

    def test_for_soft_values_where_bits_are_due(self, mine):
        soft = mine(encode="1 - 2 * u", decode="y.sigmoid()", factory="type('Mine', (Mine, BitCodec), {})(k, n)")
        with pytest.raises(ValueError, match="must return bits, but some are neither 0 nor 1: decide soft values"):
            make_codec(soft, Bits(2), None)

    def test_for_symbols_that_are_not_antipodal(self, mine):
        bits = "type('Mine', (Mine, BitCodec), {})(k, n)"
        with pytest.raises(ValueError, match=r"must return antipodal symbols, but some are neither \+1 nor -1"):
            make_codec(mine(factory=bits), Bits(2), None)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("import nowhere", "broken cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
            ("def :", "broken cannot be imported: SyntaxError"),
            ("raise SystemExit(0)", "broken cannot be imported: SystemExit: 0"),
            ("factory = 3", "broken has no factory 'factory' that can be called"),
            ("", "broken has no factory 'factory' that can be called"),
        ],
    )
    def test_for_its_module(self, folder, capsys, text, said):
        (folder / "broken.py").write_text(textwrap.dedent(text))
        assert main(["sweep", "--channel", "awgn", "--codec", "broken:factory"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line

    @pytest.mark.parametrize("name", ["no_such_module:factory", "sys:exit", "math:floor"])
    def test_for_what_is_none(self, folder, name):
        with pytest.raises(ValueError, match=r"cannot be imported|failed: TypeError"):
            make_codec(name, Gaussian(), None)

    def test_once_its_numbers_stop_being_finite(self, mine, capsys):
        """A trial at 0 dB does not show what happens at 20 dB; the sweep does."""
        name = mine(decode="y / 2 if law.noise_power > 0.5 else y * math.nan")
        assert main(["sweep", "--channel", "awgn", "--snr", "0,20", "--codec", name, "--source", "gaussian"]) == 2
        printed = capsys.readouterr()
        assert printed.err == "Error: Mine has mse nan in block 0: not a finite number\n"
        assert len(printed.out.splitlines()) == 3  # the point at 0 dB was measured and is shown

    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_once_it_fails_on_a_channel_that_was_not_tried(self, mine, capsys, workers):
        name = mine(decode="y.reshape(3, -1) if law.noise_power < 0.5 else y / 2")
        code = main(["sweep", "--channel", "awgn", "--snr", "0,10", "--codec", name, "--workers", workers])
        printed = capsys.readouterr()
        assert code == 2
        assert len(printed.out.splitlines()) == 3  # the point before is not lost
        assert printed.err.splitlines() == [printed.err.strip()]
        assert "codec mine:factory failed: RuntimeError: shape" in printed.err

    def test_power_of_heavy_tails_is_judged_by_its_own_spread(self, mine):
        """Of unit power, but a sample of it strays far: five standard errors, at a false-alarm rate of 3e-7."""
        rare = "torch.where(torch.rand_like(u) < 1e-3, math.sqrt(1000.), 0.) * u.sign()"
        assert make_codec(mine(encode=rare), Gaussian(), None)[0].k == 1


def test_checking_leaves_the_generator_alone(mine):
    name = mine()
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    make_codec(name, Gaussian(2), None)
    assert torch.equal(torch.rand(()), expected)
