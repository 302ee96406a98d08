"""Names build what they say, defaults suit each other, and every exact value is met by simulation."""

import pytest

from jscc_sim.catalog import CHANNEL_NAMES, CODEC_NAMES, POLICY_NAMES, Request, make_cases
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.verify import verdict


@pytest.mark.parametrize("channel", CHANNEL_NAMES)
def test_every_channel_has_defaults_that_fit(channel):
    cases = make_cases(Request(channel))
    assert cases
    assert all(case.labels["channel"] == channel and case.exact for case in cases)


@pytest.mark.parametrize("codec", CODEC_NAMES)
def test_every_codec_is_built_with_its_source(codec):
    (case,) = make_cases(Request("awgn", codecs=(codec,), snr_db=(3.0,)))
    assert case.labels["codec"] == codec
    assert case.labels["snr_db"] == 3.0
    assert case.link.codec.k == case.link.source.k == case.labels["k"]


@pytest.mark.parametrize("policy", POLICY_NAMES)
def test_every_policy_is_worth_the_saddle_value_against_the_linear_codec(policy):
    (case,) = make_cases(Request("jammer", policy=policy, snr_db=(10.0,), sjr_db=3.0))
    assert all(verdict(row) == "agrees" for row in sweep([case]))


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


def test_fewer_uses_than_pixels_keep_the_strongest_components():
    (case,) = make_cases(Request("jammer", source="images", snr_db=(10.0,), n=40))
    assert case.link.codec.n == 40
    assert {verdict(row) for row in sweep([case])} == {"agrees"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Request("jamer"), "did you mean 'jammer'"),
        (Request("xyz"), "there are awgn, bec"),
        (Request("jammer", policy="gausian"), "did you mean 'gaussian'"),
        (Request("jammer", codecs=("linaer",)), "did you mean 'linear'"),
        (Request("jammer", source="imges"), "did you mean 'images'"),
        (Request("jammer", source="gaussian:x"), "takes no name"),
        (Request("jammer", source="images", k=3), "784 pixels, not 3"),
        (Request("jammer", codecs=("klt",), source="gaussian"), "use --source images"),
        (Request("jammer", codecs=("linear",), source="images"), "for images use klt"),
        (Request("bsc", snr_db=(1.0,)), "use --at"),
        (Request("awgn", snr_db=(1.0,), at=(1.0,)), "give one of them"),
        (Request("bsc", at=(1.5,)), r"flip must lie in \[0, 1\], got 1.5"),
        (Request("bsc", codecs=("linear",)), "BSC carries antipodal symbols, but Linear sends real ones"),
        (Request("awgn", source="bits", codecs=("linear",)), "Linear encodes real symbols, but Bits draws bits"),
        (Request("awgn", sjr_db=3.0), "--sjr means nothing to channel 'awgn'"),
        (Request("bec", flips=1), "--flips means nothing"),
        (Request("bec", informed=True), "--informed/--blind means nothing"),
        (Request("awgn", policy="gaussian"), "--policy means nothing"),
        (Request("jammer", k=0), "k must be at least 1, got 0"),
        (Request("jammer", n=3), "n=1 uses, not n=3"),
        (Request("bsc", codecs=("repetition",), k=3, n=4), "multiple of 3, got 4"),
        (Request("bsc", codecs=("repetition-3",), n=4), "3 uses, not n=4"),
        (Request("jammer", codecs=("./x.json", "linear")), "swept alone"),
    ],
)
def test_says_what_does_not_fit_and_what_would(asked, said):
    with pytest.raises(ValueError, match=said):
        make_cases(asked)


def test_a_folder_of_that_name_does_not_hide_a_codec(tmp_path, monkeypatch):
    (tmp_path / "linear").mkdir()
    monkeypatch.chdir(tmp_path)
    assert make_cases(Request("jammer", codecs=("linear",)))


def test_names_missing_files():
    for asked in (Request("jammer", policy="no/file.json"), Request("jammer", codecs=("no/file.json",))):
        with pytest.raises(FileNotFoundError, match="is missing"):
            make_cases(asked)
