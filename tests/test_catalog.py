"""Names build what they say, defaults suit each other, and every exact value is met by simulation."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy import stats

from channels import NeuralPolicy, NeuralSourcePolicy, decibels, from_decibels, innermost
from jscc_sim.catalog import CHANNEL_NAMES, CODEC_NAMES, POLICY_NAMES, Request, inventory, make_cases
from jscc_sim.checkpoint import Record, save_part
from jscc_sim.link import Link
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.players import per_symbol_codec
from jscc_sim.seeds import seeded
from jscc_sim.verify import verdict


@pytest.mark.parametrize("channel", CHANNEL_NAMES)
def test_every_channel_has_defaults_that_fit(channel):
    cases = make_cases(Request(channel))
    assert cases
    assert all(case.labels["channel"] == channel for case in cases)
    echoes = channel in ("ofdm", "tdl")  # Sionna's sums of sinusoids have no exact law
    assert all(case.exact or echoes for case in cases)


@pytest.mark.parametrize("codec", CODEC_NAMES)
def test_every_codec_is_built_with_its_source(codec):
    channel, level = ("jammer", 4.0) if codec == "learned" else ("awgn", 3.0)
    (case,) = make_cases(Request(channel, codecs=(codec,), snr_db=(level,)))
    assert case.labels["codec"] == codec
    assert case.labels["snr_db"] == level
    assert case.link.codec.k == case.link.source.k == case.labels["k"]


@pytest.mark.slow
@pytest.mark.parametrize("shared", [None, "sign", "rotation"])
@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_every_policy_meets_its_exact_value_against_the_linear_codec(policy, shared):
    sjr_db = 0.0 if policy == "learned" else 3.0  # a pair that comes along
    (case,) = make_cases(Request("jammer", policy=policy, snr_db=(10.0,), sjr_db=sjr_db, shared=shared, k=2))
    verdicts = {verdict(row) for row in sweep([case], Budget(rel_error=0.005))}
    assert verdicts == ({None} if policy == "reactive" else {"agrees"})


@pytest.mark.parametrize("policy", ["gaussian", "pulsed:0.3", "two-point", "tap", "tap:2", "uniform", "tone:0.2"])
def test_bits_under_every_policy_meet_their_exact_value_where_there_is_one(policy):
    (case,) = make_cases(Request("jammer", codecs=("uncoded",), policy=policy, snr_db=(10.0,), sjr_db=3.0))
    assert ("ber" in case.exact) == (policy not in ("uniform", "tone:0.2"))
    assert {verdict(row) for row in sweep([case], Budget(rel_error=0.01))} <= {"agrees", None}


@pytest.mark.parametrize("channel", ["awgn", "jammer", "rayleigh", "rician"])
@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 3), (3, 1), (2, 3), (4, 4)])
@pytest.mark.parametrize("source", ["gaussian", "laplace", "uniform"])
def test_linear_codecs_meet_their_exact_value_at_every_bandwidth_ratio(channel, k, n, source):
    (case,) = make_cases(Request(channel, codecs=("linear",), source=source, snr_db=(7.0,), k=k, n=n))
    assert {verdict(row) for row in sweep([case], Budget(rel_error=0.005))} == {"agrees"}


@pytest.mark.parametrize("channel", ["awgn", "jammer", "rayleigh", "rician"])
def test_coloured_sources_meet_their_exact_value(channel):
    for csi in (True, False) if channel in ("rayleigh", "rician") else (None,):
        (case,) = make_cases(Request(channel, source="gaussian:0.9", snr_db=(3.0,), n=10, csi=csi))
        assert {verdict(row) for row in sweep([case])} == ({None} if csi is False else {"agrees"})


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["hamming", "bch"])
@pytest.mark.parametrize("more", [{}, {"informed": False}, {"flips": 2}, {"flips": 0, "erasures": 2}])
@pytest.mark.parametrize("channel", ["bsc-flip", "bec-flip"])
def test_codes_under_attack_meet_their_exact_error_rates(channel, more, codec):
    cases = make_cases(Request(channel, codecs=(codec,), at=(0.0, 0.15), **more))
    rows = list(sweep(cases, Budget(words=3000)))
    assert {verdict(row) for row in rows if row.metric == "bler"} == {"agrees"}


class TestFlippedCodes:
    """The adversary that codes meet by default is real. False-alarm rate 1e-4 a comparison, seeds fixed."""

    WORDS = 120
    CODES = {"polar": (64, 10), "ldpc": (32, 4), "convolutional": (24, 5)}  # noqa: RUF012

    def link(self, codec: str, at: float, **more) -> Link:
        k, flips = self.CODES[codec]
        (case,) = make_cases(Request("bsc-flip", codecs=(codec,), k=k, flips=flips, at=(at,), **more))
        return case.link

    def lost(self, codec: str, at: float, **more) -> int:
        with seeded(1), torch.no_grad():
            sent = self.link(codec, at, **more).transmit(self.WORDS)
        return int((sent.u != sent.u_hat).any(-1).sum())

    def lost_to_bursts(self, codec: str, at: float, first: bool = False) -> int:
        """Of the whole budget, each anywhere, or all at the start of the word."""
        link, flips = self.link(codec, at), self.CODES[codec][1]
        with seeded(2), torch.no_grad():
            u = link.source.draw(self.WORDS)
            start = torch.randint(1 if first else link.codec.n - flips + 1, (self.WORDS, 1))
            place = torch.arange(link.codec.n) - start
            y = torch.where((place >= 0) & (place < flips), -1, 1) * link.channel.behind(link.codec.encode(u))
            return int((link.codec.decode(y, link.channel.nominal) != u).any(-1).sum())

    def chance(self, more: int, fewer: int) -> float:
        """Of losing so many more words than another adversary that is as good (Fisher)."""
        table = [[more, self.WORDS - more], [fewer, self.WORDS - fewer]]
        return float(stats.fisher_exact(table, alternative="greater").pvalue)

    @pytest.mark.parametrize(
        ("codec", "at", "informed"),
        [*((codec, 0.0, True) for codec in CODES), ("ldpc", 0.01, False), ("convolutional", 0.01, False)],
    )
    def test_lose_no_fewer_words_than_to_chance_or_bursts(self, codec, at, informed):
        found = self.lost(codec, at, informed=informed)
        assert self.chance(self.lost(codec, at, informed=informed, attack="random"), found) > 1e-4
        assert self.chance(self.lost_to_bursts(codec, at), found) > 1e-4

    def test_lose_more_than_to_flips_of_their_first_symbols(self):
        assert self.chance(self.lost("polar", 0.0), self.lost_to_bursts("polar", 0.0, first=True)) < 1e-4

    @pytest.mark.parametrize(
        ("codec", "k", "attack"),
        [
            ("convolutional", None, "tried"),
            ("repetition-3", 8, "tried"),
            ("repetition-3", 1, "steepest"),
            ("uncoded", 8, "steepest"),
            ("bch", None, "exhaustive"),
        ],
    )
    @pytest.mark.parametrize("shared", [None, "sign"])
    def test_say_which_attack_they_met(self, codec, k, attack, shared):
        (case,) = make_cases(Request("bec-flip", codecs=(codec,), k=k, at=(0.1,), shared=shared))
        assert attack == innermost(case.link.channel).attack
        if shared is None:
            assert case.labels["attack"] == attack
            (named,) = make_cases(Request("bec-flip", codecs=(codec,), k=k, at=(0.1,), attack="random"))
            assert named.labels["attack"] == "random"


def test_a_bound_that_holds_proves_nothing_and_one_that_does_not_disagrees():
    (case,) = make_cases(Request("awgn", codecs=("linear",), snr_db=(5.0,), k=1, n=2))
    assert case.bounds["mse"] < case.exact["mse"]
    (row,) = sweep([replace(case, exact={})])
    assert (row.exact, verdict(row)) == (None, None)
    (row,) = sweep([replace(case, exact={}, bounds={"mse": 2 * case.exact["mse"]})])
    assert verdict(row) == "disagrees"


def test_rare_errors_are_computed_in_float64():
    low, high = (make_cases(Request("awgn", codecs=("uncoded",), snr_db=(snr,)))[0] for snr in (10.0, 14.0))
    assert (low.link.source.dtype, high.link.source.dtype) == (torch.float32, torch.float64)


def test_everything_is_listed():
    listed = {(entry.kind, entry.name.partition(":")[0]) for entry in inventory()}
    for kind, names in (("channels", CHANNEL_NAMES), ("policies", POLICY_NAMES), ("codecs", CODEC_NAMES)):
        assert {name for found, name in listed if found == kind} == set(names)
    assert all(entry.says for entry in inventory())


BLIND = {"flips": 2, "informed": False}
HALF = {"flips": 5}


@pytest.mark.parametrize(
    ("channel", "adversary"),
    [
        ("bsc", {}),
        ("bec", {}),
        ("bsc-flip", {}),
        ("bec-flip", {}),
        ("bsc-flip", BLIND),
        ("bec-flip", BLIND),
        ("bec-flip", HALF),
    ],
)
@pytest.mark.parametrize(
    "more", [{}, {"k": 6, "codecs": ("uncoded",)}, {"codecs": ("repetition-5",)}, {"codecs": ("repetition-10",)}]
)
def test_every_exact_error_rate_is_met(channel, more, adversary):
    """False-alarm rate 1e-5 a row, seeds fixed; the levels include the ends and a receiver that must invert."""
    cases = make_cases(Request(channel, at=(0.0, 0.1, 0.5, 0.9, 1.0), **more, **adversary))
    rows = [row for row in sweep(cases, Budget(words=20_000)) if row.exact is not None]
    assert len(rows) >= 3 * len(cases) // 5
    assert {verdict(row) for row in rows} == {"agrees"}


@pytest.mark.parametrize("codec", ["uncoded", "repetition-3"])
@pytest.mark.parametrize("channel", ["awgn", "jammer"])
def test_bits_in_gaussian_noise(codec, channel):
    cases = make_cases(Request(channel, codecs=(codec,), snr_db=(0.0, 6.0), k=2))
    rows = list(sweep(cases, Budget(words=200_000)))
    assert {(row.metric, verdict(row)) for row in rows} == {("ber", "agrees"), ("bler", "agrees")}


@pytest.mark.parametrize(
    ("codec", "more"),
    [
        ("linear", {}),
        ("linear", {"shared": "sign"}),
        ("linear", {"channel": "rician", "k_factor": 3.0, "csi": False}),
        ("uncoded", {}),
        ("uncoded", {"k": 2, "modulation": "qpsk"}),
    ],
)
def test_a_gaussian_jammer_behind_fading_is_more_noise(codec, more):
    channel = more.get("channel", "rayleigh")
    more = {name: value for name, value in more.items() if name != "channel"}
    plain = {name: value for name, value in more.items() if name != "shared"}
    asked = Request(channel, codecs=(codec,), snr_db=(10.0,), sjr_db=6.0, **more)
    (case,) = make_cases(asked)
    noise = -decibels(from_decibels(-10.0) + from_decibels(-6.0))
    (noisier,) = make_cases(Request(channel, codecs=(codec,), snr_db=(noise,), **plain))
    assert case.labels["policy"] == "gaussian"
    assert case.labels["k_factor"] == noisier.labels["k_factor"]
    if "shared" in more:
        assert not case.exact
    else:
        assert case.exact == pytest.approx(noisier.exact, rel=1e-8)
    [theirs] = [row for row in sweep([noisier]) if row.metric in ("mse", "ber")]
    [ours] = [row for row in sweep([case]) if row.metric in ("mse", "ber")]
    # Intervals of 95 % apart by more than both are wide: 5.5 standard errors of the difference, 4e-8.
    assert abs(ours.mean - theirs.mean) < (ours.high - ours.low) + (theirs.high - theirs.low)


def test_ofdm_is_jammed():
    asked = Request("ofdm", codecs=("uncoded",), k=128, snr_db=(20.0,), profile="C")
    (plain,), (jammed,) = make_cases(asked), make_cases(replace(asked, policy="pulsed:0.1", sjr_db=0.0))
    assert jammed.labels["profile"] == "C"
    errors = [next(row for row in sweep([case]) if row.metric == "ber").mean for case in (plain, jammed)]
    assert errors[1] > 4 * errors[0]


def test_fewer_uses_than_pixels_keep_the_strongest_components():
    (case,) = make_cases(Request("jammer", source="images", snr_db=(10.0,), n=40))
    assert case.link.codec.n == 40
    assert {row.metric: verdict(row) for row in sweep([case])} == {
        "mse": "agrees",
        "psnr": None,
        "psnr_of_mse": "agrees",
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Request("jamer"), "did you mean 'jammer'"),
        (Request("xyz"), "there are awgn, bec"),
        (Request("jammer", policy="gausian"), "did you mean 'gaussian'"),
        (Request("jammer", codecs=("linaer",)), "did you mean 'linear'"),
        (Request("jammer", source="imges"), "did you mean 'images'"),
        (Request("jammer", source="imges", codecs=("klt",)), "did you mean 'images'"),
        (Request("jammer", source="gaussian:x"), "takes a number after the colon, got 'x'"),
        (Request("jammer", source="laplace:x"), "takes no name"),
        (Request("jammer", source="gaussian:1.5"), "between -1 and 1, got 1.5"),
        (Request("jammer", policy="gaussian:1"), "takes no number"),
        (Request("jammer", policy="pulsed:2"), "duty must lie in"),
        (Request("jammer", shared="sing"), "did you mean 'sign'"),
        (Request("bsc", shared="rotation"), "a rotated word is not antipodal"),
        (Request("bsc-flip", attack="steep"), "attack must be one of"),
        (Request("bsc-flip", flips=-1), "flips must be a whole number"),
        (Request("awgn", k_factor=1.0), "--k-factor means nothing"),
        (Request("rician", k_factor=-1.0), "k_factor must be 0 or more"),
        (Request("bsc", codecs=("hamming",), k=5), "'hamming' encodes words of k=4, not --k 5: use --k 4"),
        (Request("jammer", source="images", k=3), "k=784 symbols, not --k 3: leave --k out"),
        (Request("jammer", codecs=("klt",), source="laplace"), "use --source images"),
        (Request("jammer", codecs=("linear",), source="images"), "for images use klt"),
        (Request("bsc", snr_db=(1.0,)), "use --at"),
        (Request("awgn", snr_db=(1.0,), at=(1.0,)), "give one of them"),
        (Request("bsc", at=(1.5,)), r"flip must lie in \[0, 1\], got 1.5"),
        (Request("bsc", codecs=("linear",)), "'bsc' carries antipodal symbols, but codec 'linear' sends real"),
        (
            Request("awgn", source="bits", codecs=("linear",)),
            "'linear' encodes real symbols, but source 'bits' draws bits: use --source gaussian",
        ),
        (Request("awgn", sjr_db=3.0), "--sjr means nothing to channel 'awgn'"),
        (Request("bec", flips=1), "--flips means nothing"),
        (Request("bec", informed=True), "--informed/--blind means nothing"),
        (Request("awgn", policy="gaussian"), "--policy means nothing"),
        (Request("jammer", k=0), "k must be at least 1, got 0"),
        (Request("bsc", codecs=("uncoded",), n=3), "n=1 uses, not --n 3: leave --n out"),
        (Request("bsc", codecs=("repetition",), k=3, n=4), "multiple of 3, got 4"),
        (Request("bsc", codecs=("repetition-3",), n=4), "n=3 uses, not --n 4: leave --n out"),
        (Request("bsc", codecs=("bch",), k=5), "'bch' encodes words of k=7, not --k 5"),
        (Request("awgn", codecs=("hamming",), source="gaussian"), "encodes bits, but source 'gaussian' draws real"),
        (Request("jammer", codecs=("learned",), k=3, n=4), "'learned' sends words of k=3 in n=3 uses, not --n 4"),
        (Request("jammer", codecs=("linear",), policy="source-aware", k=2, n=3), "takes k = n, got k=2, n=3"),
        (Request("jammer", codecs=("./x.json", "linear")), "swept alone"),
        (Request("ofdm", sjr_db=0.0, pilots=2), "--pilots 2 would go unjammed"),
        (Request("ofdm", csi=False, pilots=2), "from --pilots 2 the receiver knows the channel"),
        (Request("tdl", sjr_db=0.0), "--sjr means nothing to channel 'tdl'"),
        (Request("rayleigh", policy="tap"), "what policy 'tap' takes of the signal: use another --policy"),
    ],
)
def test_says_what_does_not_fit_and_what_would(asked, said):
    with pytest.raises(ValueError, match=said):
        make_cases(asked)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Parts as if trained, under their names: policies for words of two symbols, a codec of one."""
    monkeypatch.chdir(tmp_path)
    parts = {
        "pair/policy": ("vector", {"n": 2, "hidden": 4}, NeuralPolicy(2, 4)),
        "sees/policy": ("source", {"k": 1, "n": 2, "hidden": 4}, NeuralSourcePolicy(1, 2, 4)),
        "one/codec": ("per-symbol", {"k": 1, "hidden": 4}, per_symbol_codec(1, 4)),
    }
    for name, (kind, arguments, part) in parts.items():
        Path(name).parent.mkdir()
        record = Record(name.rpartition("/")[2], kind, arguments, 10.0, 0.0, 0, 1)
        save_part(Path(name), record, part.state_dict())


def _refusal(asked):
    with pytest.raises(ValueError, match=": ") as caught:
        make_cases(asked)
    return str(caught.value).rpartition(": ")[2]


@pytest.mark.usefixtures("trained")
class TestRemedies:
    """What is advised has been tried: where it is an option, to follow it is enough."""

    @pytest.mark.parametrize(
        ("asked", "advice", "followed"),
        [
            ({"policy": "./pair", "codecs": ("linear",), "k": 3}, "use --k 2", {"k": 2}),
            ({"policy": "./pair", "codecs": ("linear",), "k": 3, "n": 4}, "use --n 2", {"n": 2}),
            ({"policy": "./pair", "codecs": ("linear",), "k": 2, "n": 4}, "leave --n out", {"n": None}),
            ({"policy": "./pair", "codecs": ("uncoded",), "k": 3}, "use --k 2", {"k": 2}),
            ({"policy": "./pair", "codecs": ("repetition-2",)}, "use --k 1", {"k": 1}),
            ({"policy": "./pair", "codecs": ("repetition",)}, "use --n 2", {"n": 2}),
            ({"policy": "./pair", "codecs": ("repetition",), "k": 3}, "use --k 2 and use --n 2", {"k": 2, "n": 2}),
            ({"policy": "./pair", "codecs": ("klt",), "source": "images"}, "use --n 2", {"n": 2}),
            ({"policy": "./sees", "codecs": ("linear",), "k": 2}, "use --k 1 and use --n 2", {"k": 1, "n": 2}),
            ({"codecs": ("./one",), "k": 3}, "use --k 1", {"k": 1}),
            ({"codecs": ("./one",), "source": "gaussian:0.9"}, "use --k 1", {"k": 1}),
            ({"policy": "source-aware", "codecs": ("linear",), "k": 2, "n": 3}, "leave --n out", {"n": None}),
            ({"policy": "source-aware", "codecs": ("repetition",), "k": 2}, "use --n 2", {"n": 2}),
        ],
    )
    def test_that_are_options_are_enough(self, asked, advice, followed):
        request = Request("jammer", snr_db=(10.0,), **asked)
        assert _refusal(request) == advice
        assert make_cases(replace(request, **followed))

    @pytest.mark.parametrize(
        ("asked", "advice"),
        [
            ({"policy": "./pair", "codecs": ("./one",)}, "use a codec of n=2, or another --policy"),
            ({"policy": "./sees", "codecs": ("./one",), "k": 1}, "use a codec of n=2, k=1, or another --policy"),
            ({"policy": "./pair", "codecs": ("repetition-3",)}, "use a codec of n=2, or another --policy"),
            ({"policy": "./pair", "codecs": ("hamming",), "k": 4}, "use a codec of n=2, or another --policy"),
            ({"policy": "source-aware", "codecs": ("hamming",)}, "use a codec of k = n, such as uncoded"),
            ({"policy": "source-aware", "codecs": ("repetition-3",)}, "use a codec of k = n, such as uncoded"),
            ({"codecs": ("./one",), "source": "images"}, "use another --source or --codec"),
        ],
    )
    def test_name_the_part_where_no_option_will_do(self, asked, advice):
        assert _refusal(Request("jammer", snr_db=(10.0,), **asked)) == advice


def test_a_folder_of_that_name_does_not_hide_a_codec(tmp_path, monkeypatch):
    (tmp_path / "linear").mkdir()
    monkeypatch.chdir(tmp_path)
    assert make_cases(Request("jammer", codecs=("linear",)))


def test_names_missing_files():
    for asked in (Request("jammer", policy="no/file.json"), Request("jammer", codecs=("no/file.json",))):
        with pytest.raises(FileNotFoundError, match="is missing"):
            make_cases(asked)


@pytest.mark.parametrize("asked", [{"n": 2}, {"source": "gaussian:0.9", "codecs": ("klt",)}, {"source": "laplace"}])
def test_bounds_of_the_white_gaussian_game_are_for_no_other(asked):
    (case,) = make_cases(Request("jammer", policy="learned", snr_db=(10.0,), **asked))
    assert not case.bounds
    assert not case.ceilings


def test_learned_players_do_not_mix_with_files():
    with pytest.raises(ValueError, match="trained for the point, not a/pair's: name files for both players"):
        make_cases(Request("jammer", policy="learned", codecs=("a/pair",)))
