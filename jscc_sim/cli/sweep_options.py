"""The options of a sweep: what is sent through what, how long to measure, and where rows go."""

from __future__ import annotations

import click

from jscc_sim.cli.grids import DEFAULT_GRID, grid
from jscc_sim.cli.options import FILE, MODULATION, SEED, decibels

SNR_GRID = "0:20:2"
EBN0_GRID = "0:10:1"

CHANNEL_OPTIONS = (
    click.option(
        "--channel",
        required=True,
        help="awgn, jammer, rayleigh or rician (one gain a word), ofdm or tdl (echoes; many carriers or one), bsc, "
        "bec, bsc-flip or bec-flip.",
    ),
    click.option(
        "--snr",
        "snr_db",
        callback=grid,
        metavar="GRID",
        is_flag=False,
        flag_value=SNR_GRID,
        help=f"SNR grid in dB, as 0:20:2, 0,3,10 or 5  [{SNR_GRID}, or that of the game FILE is of].",
    ),
    click.option(
        "--ebn0",
        "ebn0_db",
        callback=grid,
        metavar="GRID",
        is_flag=False,
        flag_value=EBN0_GRID,
        help=f"Eb/N0 grid in dB instead, SNR/(2R) of R bits per use, k/n without pilots  [{EBN0_GRID}].",
    ),
    click.option(
        "--at",
        callback=grid,
        metavar="GRID",
        is_flag=False,
        flag_value=DEFAULT_GRID,
        help="Grid of the channel's knob: its SNR in dB, or its probability  [0:0.2:0.05].",
    ),
    click.option(
        "--source",
        help="gaussian, gaussian:0.9 (correlated neighbours), gaussian:FILE.npy (a covariance), laplace, uniform, "
        "bits, images, images:mnist, images:fashion-mnist, images:cifar10, images:FOLDER or images:unseen:FOLDER  "
        "[what a codec learned from: a set's test images, or of a folder of pictures the tenth that is for test].",
    ),
    click.option(
        "--codec",
        "codecs",
        multiple=True,
        help="linear, learned, klt, uncoded, repetition, repetition-3 (-5, ...), hamming, bch, ldpc, polar, turbo, "
        "commpy-convolutional, convolutional, FILE or package.module:factory, a factory(k, n); may be repeated.",
    ),
    MODULATION,
    click.option(
        "--policy",
        help="The jammer's: gaussian, learned, two-point, pulsed:DUTY, uniform, laplace, tap:NOISE, source-aware, "
        "tone:FREQUENCY, reactive:THRESHOLD, FILE, latents in FILE.npy or package.module:factory(k)  "
        "[gaussian; without --codec: learned].",
    ),
    decibels("--sjr", "Signal-to-jammer ratio in dB  [0, or that of FILE; rayleigh, rician and ofdm: no jammer]."),
    decibels("--jsr", "Jammer-to-signal ratio in dB: minus --sjr."),
    click.option("--shared", help="Common randomness of transmitter and receiver: sign or rotation."),
    click.option(
        "--flips", type=int, help="Budget per word of an adversary that flips  [1, or what FILE learned against]."
    ),
    click.option("--erasures", type=int, help="How many symbols of a word it may erase besides  [0]."),
    click.option("--informed/--blind", default=None, help="Whether it sees errors and erasures first  [informed]."),
    click.option(
        "--attack",
        help="tried, steepest, greedy, exhaustive or random; all but exhaustive only find, they prove no safety  "
        "[codes: tried, the worst of 16 patterns by what is decoded; hamming, bch: exhaustive; else steepest].",
    ),
    click.option("--csi/--no-csi", default=None, help="Whether the receiver knows the fading gain  [csi]."),
    click.option("--profile", help="Of ofdm and tdl: the delay profile of 3GPP TR 38.901, A to E  [A]."),
    click.option("--delay-spread", type=float, help="Of ofdm and tdl: in seconds  [1e-7]."),
    click.option("--speed", type=float, help="Of ofdm: the receiver's, in m/s  [0]."),
    click.option("--pilots", type=int, help="Of ofdm: symbols it estimates the channel from  [0: it knows it]."),
    click.option("--k-factor", type=float, help="Rician K factor, a ratio  [1]."),
    click.option(
        "--k", type=int, help="Source symbols per word  [1; 512 ldpc, 256 turbo, 128 polar, 64 convolutional, 7 bch]."
    ),
    click.option("--n", type=int, help="Channel uses per word  [the codec's own]."),
)

# As jscc_sim.estimators.ESTIMATORS has them; a test compares, because importing it here would be slow.
ESTIMATORS = ("plain", "control", "tilt", "strata", "sobol")

BUDGET_OPTIONS = (
    click.option(
        "--estimator",
        type=click.Choice(ESTIMATORS),
        default="plain",
        show_default=True,
        help="How means are estimated: plain Monte Carlo, a linear control variate (near-linear codecs), tilted noise "
        "(rare BPSK errors), strata of flips or erasures (block codes), Sobol points (Gaussian source and noise).",
    ),
    click.option(
        "--rel-error",
        type=float,
        help="Half-width of the 95 % interval over the mean  [0.01; error rates by plain 0.1].",
    ),
    click.option(
        "--words",
        type=int,
        help="At least so many words per point instead: whole blocks of up to 131,072 symbols, 30 of them for a mean.",
    ),
    click.option(
        "--max-words",
        type=int,
        help="Words after which an error rate gives up (a mean does not)  [1,000 blocks].",
    ),
    click.option("--seed", type=SEED, default=0, show_default=True),
    click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes."),
    click.option("--scheduler", metavar="ADDRESS", help="Address of a running Dask scheduler, instead."),
    click.option("--store", type=FILE, help="Record measured blocks; the same command resumes."),
    click.option("--csv", type=FILE, help="Write the rows into FILE as well."),
    click.option("--plot", type=FILE, help="Draw the rows into FILE (.png, .pdf, .svg)."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table."),
)
