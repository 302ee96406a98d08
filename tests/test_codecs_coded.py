"""Coded and modulated bits: decoders against each other, exhaustive search and theory.

Statistical tests have fixed seeds and false-alarm rate 1e-5.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import binomtest

from channels import AWGN, BEC, BSC, Rayleigh
from jscc_sim.catalog import Request, make_cases
from jscc_sim.codecs import (
    CONSTELLATIONS,
    LDPC,
    CommPyConvolutional,
    Convolutional,
    Modulated,
    Polar,
    Repetition,
    Turbo,
)
from jscc_sim.codecs.belief_propagation import BeliefPropagation
from jscc_sim.codecs.forward_backward import ForwardBackward
from jscc_sim.montecarlo import Budget, sweep
from jscc_sim.sources import Bits
from jscc_sim.theory.antipodal_brackets import antipodal_achievable_error, antipodal_normal_error, sphere_packing_error
from jscc_sim.theory.modulation import (
    psk8_error,
    psk_symbol_error,
    qam_error,
    qam_symbol_error,
    qam_terms,
    rayleigh_psk8_error,
    rayleigh_qam_error,
)
from jscc_sim.verify import verdict

GENERATORS = [(0o5, 0o7), (0o133, 0o171), (0o13, 0o15, 0o17)]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def noisy(codec, words: int, law: AWGN) -> tuple[torch.Tensor, torch.Tensor]:
    u = Bits(codec.k).draw(words)
    return u, law(codec.encode(u))


class TestBeliefPropagation:
    def test_it_is_exact_on_a_tree(self):
        checks = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
        words = [word for word in itertools.product((0, 1), repeat=5) if not (checks @ word % 2).any()]
        signs = 1 - 2 * torch.tensor(words, dtype=torch.float64)
        llr = 2 * torch.randn(50, 5)
        chance = (llr.double() @ signs.T / 2).softmax(-1)
        exact = [torch.logit(chance[:, signs[:, symbol] > 0].sum(1)) for symbol in range(5)]
        decoder = BeliefPropagation(checks, 3)
        decoder._violated = lambda heard: torch.ones(heard.shape[1], dtype=torch.bool)  # no word leaves early
        assert torch.allclose(decoder(llr).double(), torch.stack(exact, 1), atol=1e-4)

    def test_words_leave_once_they_satisfy_all_checks(self):
        codec = LDPC(32, 64)
        u, y = noisy(codec, 300, AWGN(0.6))
        posterior = codec.decoder(codec._of_the_graph(AWGN(0.6).llr(y)))
        found = (posterior < 0).float()
        checks = torch.zeros(sum(count for count, _ in codec.decoder.groups), codec.symbols)
        rows = [row for group in codec.decoder._grouped(codec.decoder.variables) for row in group.tolist()]
        for check, row in enumerate(rows):
            checks[check, row] = 1
        satisfied = (found @ checks.T % 2 == 0).all(1)
        assert 0.5 < satisfied.float().mean() < 1
        assert (found[satisfied, : codec.k] != u[satisfied]).any(1).float().mean() < 0.1

    def test_what_a_word_becomes_does_not_depend_on_others(self):
        codec = LDPC(32, 64)
        _, y = noisy(codec, 300, AWGN(0.8))
        alone = torch.cat([codec.decode(part, AWGN(0.8)) for part in y.split(37)])
        assert torch.equal(codec.decode(y, AWGN(0.8)), alone)

    def test_it_needs_an_iteration(self):
        with pytest.raises(ValueError, match="iterations must be at least 1, got 0"):
            LDPC(32, 64, iterations=0)


@pytest.mark.parametrize(("k", "n", "snr_db"), [(512, 1024, 1.2), (100, 150, 3.0), (300, 900, -1.5), (500, 590, 5.0)])
def test_ldpc_decides_as_sionna_does(k, n, snr_db):
    from sionna.phy.fec.ldpc import LDPC5GDecoder

    codec, law = LDPC(k, n), AWGN(1.0).at(snr_db)
    u, y = noisy(codec, 100, law)
    theirs = LDPC5GDecoder(codec.encoder, num_iter=20, precision="single", device="cpu")(-law.llr(y))
    ours = codec.decode(y, law)
    wrong = (theirs != u).any(1)
    assert 0 < wrong.sum() < 90  # a working point at which decoders differ if they can
    assert ((ours != u).any(1) != wrong).sum() <= 2  # where rounding decides, or a word left with another's checks


class TestTurbo:
    @pytest.mark.parametrize("steps", [6, 7, 8])
    def test_posteriors_are_those_of_all_words(self, steps):
        trellis = Turbo(40).encoder.trellis
        decoder = ForwardBackward(trellis.to_nodes, trellis.op_by_fromnode & 1)
        words = []
        for bits in itertools.product((0, 1), repeat=steps):
            state, parities = 0, []
            for bit in bits:
                parities.append(int(trellis.op_by_fromnode[state, bit]) & 1)
                state = int(trellis.to_nodes[state, bit])
            if state == 0:
                words.append((bits, parities))
        assert len(words) == 2 ** (steps - decoder.memory)
        ones = torch.tensor(words, dtype=torch.float64)  # (words, bits and parities, steps)
        systematic, parity = 3 * torch.randn(2, 100, steps)
        likely = -(systematic.double() @ ones[:, 0].T + parity.double() @ ones[:, 1].T)
        exact = torch.stack(
            [
                likely.masked_fill(bit > 0, -torch.inf).logsumexp(1)
                - likely.masked_fill(bit < 1, -torch.inf).logsumexp(1)
                for bit in ones[:, 0].T
            ]
        )
        assert torch.allclose(decoder(systematic.T, parity.T).double(), exact, atol=1e-4)

    @pytest.mark.parametrize("k", [40, 57])  # with an interleaver of 3GPP, and without
    def test_it_decides_as_sionna_does(self, k):
        from sionna.phy.fec.turbo import TurboDecoder

        codec, law = Turbo(k), AWGN(1.0).at(-1.0)
        u, y = noisy(codec, 300, law)
        sionna = TurboDecoder(codec.encoder, num_iter=6, algorithm="log", precision="single", device="cpu")
        theirs = sionna(-law.llr(y))
        assert 10 < (theirs != u).any(1).sum() < 150
        assert (codec.decode(y, law) != theirs).any(1).sum() <= 2  # where rounding decides


@pytest.mark.parametrize("generators", GENERATORS)
class TestConvolutional:
    def test_three_decoders_agree(self, generators):
        from sionna.phy.fec.conv import ConvEncoder, ViterbiDecoder

        codec, commpy = Convolutional(40, generators), CommPyConvolutional(40, generators)
        polynomials = tuple(f"{generator:0{codec.memory + 1}b}" for generator in generators)
        encoder = ConvEncoder(gen_poly=polynomials, terminate=True, precision="single", device="cpu")
        sionna = ViterbiDecoder(encoder=encoder, precision="single", device="cpu")
        law = AWGN(1.0 if len(generators) == 2 else 1.6)
        u, y = noisy(codec, 30, law)
        assert torch.equal(codec.encode(u), commpy.encode(u))
        assert torch.equal(codec.encode(u), 1 - 2 * encoder(u))
        ours = codec.decode(y, law)
        assert 0 < (ours != u).sum() < 600
        assert torch.equal(ours, commpy.decode(y, law))
        assert torch.equal(ours, sionna(-law.llr(y)))

    def test_it_finds_the_most_likely_word(self, generators):
        codec = Convolutional(7, generators)
        every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=7)))
        y = torch.randn(200, codec.n)
        best = every[(y @ codec.encode(every).T).argmax(1)]
        assert torch.equal(codec.decode(y, AWGN(1.0)), best)

    @pytest.mark.parametrize("law", [BSC(0.1), BEC(0.3)])
    def test_it_takes_what_binary_channels_deliver(self, generators, law):
        codec = Convolutional(64, generators)
        u, y = noisy(codec, 200, law)
        assert (codec.decode(y, law) != u).float().mean() < 0.08

    @pytest.mark.parametrize("law", [BSC(0.1), BEC(0.3)])
    def test_of_what_binary_channels_deliver_it_finds_a_most_likely_word(self, generators, law):
        codec = Convolutional(7, generators)
        every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=7)))
        _, y = noisy(codec, 200, law)
        agreement = y @ codec.encode(every).T  # erased symbols are 0 and say nothing
        found = (y * codec.encode(codec.decode(y, law))).sum(1)
        assert torch.equal(found, agreement.max(1).values)


@pytest.mark.parametrize("generators", [(), (1,), (0, 3), (2**13,)])
def test_what_is_no_generator_is_refused(generators):
    with pytest.raises(ValueError, match="generators are positive numbers of 2 to 13 bits"):
        Convolutional(8, generators)


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_square_points_are_those_of_5g(bits):
    from sionna.phy.mapping import Constellation, Mapper

    name = "qpsk" if bits == 2 else f"{2**bits}qam"
    words = Bits(3 * bits).draw(50)
    points = Mapper(constellation=Constellation("qam", bits), precision="single", device="cpu")(words)
    ours = torch.view_as_complex(Modulated(Repetition(3 * bits, 1), name).encode(words).unflatten(-1, (-1, 2)))
    assert torch.allclose(ours, points * 2**0.5, atol=1e-6)


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_ldpc_codes_go_onto_points_as_in_5g(bits):
    from sionna.phy.fec.ldpc import LDPC5GEncoder
    from sionna.phy.mapping import Constellation, Mapper

    codec = Modulated(LDPC(100, 240), "qpsk" if bits == 2 else f"{2**bits}qam")
    words = Bits(100).draw(50)
    coded = LDPC5GEncoder(100, 240, num_bits_per_symbol=bits, precision="single", device="cpu")(words)
    points = Mapper(constellation=Constellation("qam", bits), precision="single", device="cpu")(coded)
    ours = codec.encode(words)
    assert torch.allclose(torch.view_as_complex(ours.unflatten(-1, (-1, 2))), points * 2**0.5, atol=1e-6)
    assert torch.equal(codec.decode(ours, AWGN(1e-3)), words)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Polar(100, 64), "no 5G polar code with k=100, n=64"),
        (lambda: Polar(3, 2000), "no 5G polar code with k=3, n=2000"),
        (lambda: Polar(128, 256, 3), "list size 3"),
        (lambda: Turbo(40, 0), "iterations must be"),
        (lambda: Modulated(Repetition(5, 1), "16qam"), "words of 5 symbols do not fill points of 16qam"),
        (lambda: Modulated(Repetition(4, 1), "32qam"), "no constellation is called '32qam': choose from qpsk"),
    ],
)
def test_what_cannot_be_is_named(build, said):
    with pytest.raises(ValueError, match=said):
        build()


@pytest.mark.parametrize("name", CONSTELLATIONS)
class TestModulated:
    def test_neighbours_differ_in_one_bit(self, name):
        bits = CONSTELLATIONS[name]
        labels = torch.tensor(list(itertools.product((0.0, 1.0), repeat=bits)))
        points = Modulated(Repetition(bits, 1), name).encode(labels)
        assert points.square().mean() == pytest.approx(1, abs=1e-6)
        apart = torch.cdist(points, points) + 9 * torch.eye(2**bits)
        for label, distances in zip(labels, apart, strict=True):
            near = labels[distances < distances.min() + 1e-4]
            assert ((near != label).sum(1) == 1).all()

    @pytest.mark.parametrize("gain", [1.0, 0.5, torch.tensor([[0.3], [2.0], [1.0]])])
    def test_llrs_are_those_of_all_points(self, name, gain):
        bits = CONSTELLATIONS[name]
        codec = Modulated(Repetition(2 * bits, 2), name)
        labels = torch.tensor(list(itertools.product((0.0, 1.0), repeat=bits)))
        points = Modulated(Repetition(bits, 1), name).encode(labels).double()
        y = torch.randn(3, codec.n)
        law = AWGN(0.4, gain)
        # One symbol of two uses at a time: p(y|bit) sums over all points with that bit.
        likely = [
            law.log_prob(y.double().unflatten(1, (-1, 2))[:, i], p).sum(1) for i in range(4) for p in points[:, None]
        ]
        likely = torch.stack(likely, 1).unflatten(1, (4, -1))
        for bit in range(bits):
            zero, one = (likely[..., labels[:, bit] == value].logsumexp(-1) for value in (0, 1))
            assert torch.allclose(codec.llr(y, law)[:, bit::bits].double(), zero - one, atol=2e-3, rtol=1e-4)

    def test_gradients_reach_what_is_received(self, name):
        codec = Modulated(Convolutional(66), name)
        u, y = noisy(codec, 3, AWGN(0.3))
        y.requires_grad_()
        codec.loss(u, y, AWGN(0.3)).sum().backward()
        assert y.grad.isfinite().all()
        assert y.grad.abs().sum() > 0


def test_points_are_not_received_from_binary_channels():
    with pytest.raises(ValueError, match="received in Gaussian noise, not from BSC"):
        Modulated(Repetition(2, 1), "qpsk").decode(torch.ones(1, 2), BSC(0.1))


@pytest.mark.parametrize("channel", ["awgn", "rayleigh"])
@pytest.mark.parametrize("modulation", [None, *CONSTELLATIONS])
def test_error_rates_are_those_of_theory(channel, modulation):
    cases = make_cases(Request(channel, ("uncoded",), "bits", ebn0_db=(0.0, 7.0), modulation=modulation))
    rows = list(sweep(cases, Budget(rel_error=0.03)))
    known = [row for row in rows if row.exact is not None]
    assert len(known) >= 2
    assert {verdict(row) for row in known} <= {"agrees"}
    for row in rows:
        rate = 1.0 if modulation is None else CONSTELLATIONS[modulation] / 2
        assert row.labels["snr_db"] == pytest.approx(row.labels["level"] + 10 * np.log10(2 * rate))


def test_pilots_cost_energy():
    """Words of 128 symbols on 64 subcarriers fill one OFDM symbol, as each pilot does."""
    asked = Request("ofdm", ("uncoded",), "bits", k=128, modulation="qpsk", ebn0_db=(3.0,))
    for pilots, uses in ((0, 128), (1, 256), (3, 512)):
        (case,) = make_cases(replace(asked, pilots=pilots))
        assert case.labels["snr_db"] == pytest.approx(3 + 10 * np.log10(2 * 128 / uses))


class TestModulationTheory:
    @pytest.mark.parametrize("order", [4, 16, 64, 256])
    def test_no_signal_is_a_fair_coin_and_much_none(self, order):
        assert qam_error(order, 0.0) == pytest.approx(0.5)
        assert qam_error(order, 1e5) < 1e-12
        assert sum(weight for weight, _ in qam_terms(order)) == pytest.approx(1)

    @pytest.mark.parametrize("order", [16, 64])
    def test_fading_is_the_mean_over_gains(self, order):
        nodes, weights = np.polynomial.legendre.leggauss(400)
        chances = (nodes + 1) / 2
        mean = weights / 2 @ qam_error(order, -10 * np.log(chances))
        assert rayleigh_qam_error(order, 10.0) == pytest.approx(mean, rel=1e-3)

    @pytest.mark.parametrize("snr", [0.0, 0.3, 10.0, 1000.0])
    def test_fading_of_8_psk_is_the_mean_over_gains(self, snr):
        mean, _ = quad(lambda gain: float(psk8_error(snr * gain)) * np.exp(-gain), 0, 60, limit=500, epsabs=1e-12)
        assert rayleigh_psk8_error(snr) == pytest.approx(mean, rel=1e-8)

    def test_a_bit_error_is_a_symbol_error_and_gray_labels_make_it_one_bit(self):
        for order, bits in ((16, 4), (64, 6)):
            symbols, wrong = qam_symbol_error(order, 100.0), qam_error(order, 100.0)
            assert symbols / bits <= wrong <= symbols
            assert wrong == pytest.approx(symbols / bits, rel=0.02)

    def test_four_points_are_two_antipodal_symbols(self):
        assert psk_symbol_error(4, 3.0) == pytest.approx(float(qam_symbol_error(4, 3.0)), rel=1e-9)
        assert psk_symbol_error(2, 3.0) == pytest.approx(float(qam_error(4, 6.0)), rel=1e-9)

    @pytest.mark.parametrize("order", [1, 8, 15, 32])
    def test_other_orders_are_refused(self, order):
        with pytest.raises(ValueError, match="order must be that of a square QAM"):
            qam_error(order, 1.0)


class TestAntipodalBrackets:
    def test_the_converse_lies_below_what_exists_and_the_guide_between(self):
        for snr in (0.8, 1.2, 1.6):
            below, guide, above = (
                float(bound(128, snr, 64))
                for bound in (sphere_packing_error, antipodal_normal_error, antipodal_achievable_error)
            )
            assert below < guide < above

    def test_no_code_is_better_than_its_cones(self):
        # Hamming's code is perfect, and close.
        rows = sweep(make_cases(Request("awgn", ("hamming",), "bits", snr_db=(0.0, 3.0))), Budget(rel_error=0.02))
        for row in rows:
            if row.metric == "bler":
                bound = float(sphere_packing_error(7, 10 ** (row.labels["level"] / 10), 4))
                assert bound < row.low
                assert row.high < 1.6 * bound

    def test_one_bit_takes_two_opposite_words(self):
        assert sphere_packing_error(5, 0.7, 1) == pytest.approx(float(qam_error(4, 5 * 0.7)), rel=1e-6)

    def test_random_codes_keep_the_promise(self):
        torch.manual_seed(1)
        n, snr, words, errors, trials = 12, 1.0, 2**6, 0, 4000
        for _ in range(trials):  # a fresh code each time: the mean over codes is what is bounded
            code = torch.randint(2, (words, n)) * 2.0 - 1
            errors += int((code @ (code[0] + torch.randn(n))).argmax() != 0)
        assert binomtest(errors, trials, float(antipodal_achievable_error(n, snr, 6)), "greater").pvalue > 1e-5

    @pytest.mark.parametrize(("n", "bits", "said"), [(2000, 1001, "at most 1000"), (1, 1, "n of 2 or more")])
    def test_what_no_cone_is_made_for_is_refused(self, n, bits, said):
        with pytest.raises(ValueError, match=said):
            sphere_packing_error(n, 1.0, bits)


@pytest.mark.parametrize(("codec", "snr_db"), [(Polar(64, 128), 1.0), (Turbo(64), -1.0), (Convolutional(64), 1.0)])
def test_codes_lie_above_the_converse(codec, snr_db):
    law = AWGN(1.0).at(snr_db)
    u, y = noisy(codec, 400, law)
    wrong = int((codec.decode(y, law) != u).any(1).sum())
    bound = float(sphere_packing_error(codec.n, 10 ** (snr_db / 10), codec.k))
    assert binomtest(wrong, 400, bound, "less").pvalue > 1e-5
    assert wrong < 300


@pytest.mark.slow
@pytest.mark.parametrize(("codec", "snr_db"), [(LDPC(64, 128), 1.0), (Turbo(64), -1.0)])
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_decoder_that_is_told_half_or_twice_the_noise_is_worse(codec, snr_db, scale):
    """On the very same words: the scale of LLRs is that of the channel."""
    law = AWGN(1.0).at(snr_db)
    u, y = noisy(codec, 2000, law)
    right, wrong = ((codec.decode(y, AWGN(law.noise_power * factor)) != u).any(1).numpy() for factor in (1.0, scale))
    only_right, only_wrong = (right & ~wrong).sum(), (wrong & ~right).sum()
    assert binomtest(only_right, only_right + only_wrong, 0.5, "less").pvalue < 1e-4


@pytest.mark.parametrize("codec", [Polar(64, 128), Turbo(64), LDPC(64, 128), Convolutional(64)])
@pytest.mark.parametrize("snr_db", [15.0, 40.0, 80.0])
def test_on_a_good_channel_nothing_is_lost(codec, snr_db):
    """However sure symbols are."""
    for law in (AWGN(1.0).at(snr_db), BSC(0.0), BEC(0.0)):
        u, y = noisy(codec, 100, law)
        assert torch.equal(codec.decode(y, law), u)


@pytest.mark.parametrize(("modulation", "n"), [(None, 600), ("qpsk", 600), ("16qam", 300), ("64qam", 200)])
def test_n_counts_uses_of_points_too(modulation, n):
    (case,) = make_cases(Request("awgn", ("ldpc",), snr_db=(10.0,), k=300, n=n, modulation=modulation))
    codec = case.link.codec
    assert (codec.k, codec.n) == (300, n)
    assert (codec.code if modulation else codec).n == 600


def test_fading_words_are_read_with_their_gains():
    codec, channel = Modulated(LDPC(64, 128), "16qam"), Rayleigh(0.05)
    u = Bits(64).draw(300)
    y, law = channel.transmit(codec.encode(u))
    known = (codec.decode(y, law) != u).any(1).float().mean()
    blind = (codec.decode(y, channel.nominal) != u).any(1).float().mean()
    assert known < blind - 0.1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            Request("awgn", ("linear",), ebn0_db=(1.0,)),
            "--ebn0 is for codecs of bits, which 'linear' is not",
        ),
        (
            Request("awgn", ("linear",), modulation="qpsk"),
            "--modulation is for codes such as uncoded or ldpc, but not for 'linear'",
        ),
        (Request("awgn", ("uncoded",), modulation="17qam"), "17qam"),
        (Request("awgn", ("uncoded",), modulation="bpsk"), "leave it out"),
        (Request("awgn", ("hamming",), modulation="qpsk"), "words of 7 bits, which do not fill points of qpsk"),
        (Request("awgn", ("ldpc",), k=300, n=201, modulation="64qam"), "--n must be even, got 201"),
        (Request("jammer", ebn0_db=(1.0,)), "use --channel jammer and --snr"),
        (Request("jammer", ("ldpc",), policy="pulsed:x"), "'pulsed' takes a number after the colon"),
        (Request("bsc", ("uncoded",), modulation="qpsk"), "leave --modulation out"),
        (Request("bsc", ("uncoded",), ebn0_db=(1.0,)), "--ebn0 means nothing to channel 'bsc'"),
        (Request("awgn", ("uncoded",), ebn0_db=(1.0,), snr_db=(1.0,)), "--snr and --ebn0 are the same grid"),
    ],
)
def test_requests_that_make_no_sense_are_told(asked, said):
    with pytest.raises(ValueError, match=said):
        make_cases(asked)


@pytest.mark.parametrize("codec", [LDPC(64, 128), Turbo(64)])
@pytest.mark.parametrize("noise", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("part", [1, 7, 37, 100])
def test_a_word_decodes_alike_beside_any_others_however_strong_the_noise(codec, part, noise):
    """Iterations far from convergence are chaotic: what differs in the last bit would be another word."""
    law = AWGN(0.5)
    x = codec.encode(Bits(64).draw(256))
    y = x + noise * torch.randn_like(x)
    alone = torch.cat([codec.decode(some, law) for some in y.split(part)])
    assert torch.equal(codec.decode(y, law), alone)
