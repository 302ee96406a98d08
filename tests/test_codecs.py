"""Laws of all codecs, then what each is for. Statistical tests have fixed seeds and false-alarm rate 1e-5."""

import copy
import pickle

import numpy as np
import pytest
import torch
from scipy import stats

from channels import AWGN, BSC, GaussianPolicy, Jammer
from jscc_sim.codecs import (
    BCH_15_7,
    CODECS,
    HAMMING_7_4,
    KLT,
    LDPC,
    BinaryCodec,
    BitCodec,
    BlockCode,
    CommPyConvolutional,
    Convolutional,
    DeepJSCC,
    Linear,
    Modulated,
    ModuleCodec,
    NeuralCodec,
    PerSymbolCodec,
    Polar,
    Repetition,
    TailSafeCodec,
    Turbo,
)
from jscc_sim.codecs.linear import frame
from jscc_sim.sources import Bits, Gaussian, Images


@pytest.fixture(scope="module")
def images() -> Images:
    return Images()


@pytest.fixture(scope="module")
def some(images) -> dict:
    torch.manual_seed(0)
    spread, gather = torch.nn.Linear(2, 3, bias=False), torch.nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        gather.weight.copy_(torch.linalg.pinv(spread.weight))
    learned = {
        "binary": BinaryCodec((1, 8, 8), 6, "paper"),
        "module": ModuleCodec(spread, torch.nn.Sequential(gather, torch.nn.Hardtanh(-9, 9)), 2, 3),
        "neural": NeuralCodec(2, 3, hidden=8),
        "per-symbol": PerSymbolCodec(TailSafeCodec(hidden=8), 4),
        "tail-safe": TailSafeCodec(3, 2, hidden=8),
    }
    for codec in learned.values():
        codec.calibrate(torch.randn(2**16, codec.k))
    return {
        "block": BlockCode(BCH_15_7),
        "commpy-convolutional": CommPyConvolutional(8),
        "convolutional": Convolutional(8),
        "deepjscc": DeepJSCC((1, 8, 8), 16).eval(),
        "klt": KLT(images, 0.5, n=50),
        "ldpc": LDPC(32, 64),
        "linear": Linear(4),
        "modulated": Modulated(Convolutional(8), "16qam"),
        "polar": Polar(16, 40),
        "repetition": Repetition(5, 3),
        "turbo": Turbo(40),
        **{name: codec.eval() for name, codec in learned.items()},
    }


def words_for(codec, count: int, images: Images) -> torch.Tensor:
    if isinstance(codec, KLT):
        return images.draw(count)
    return (Bits if codec.source_alphabet == "bits" else Gaussian)(codec.k).draw(count)


def test_no_codec_is_forgotten(some):
    assert some.keys() == CODECS.keys()
    assert all(type(codec) is CODECS[name] for name, codec in some.items())


@pytest.mark.parametrize("name", CODECS)
class TestEveryCodec:
    @pytest.fixture(autouse=True)
    def seeded(self):
        torch.manual_seed(0)

    def test_maps_words_to_words(self, name, some, images):
        codec = some[name]
        u = words_for(codec, 6, images)
        for shape in [(6,), (2, 3)]:
            x = codec.encode(u.reshape(*shape, codec.k))
            assert x.shape == (*shape, codec.n)
            assert codec.decode(x, AWGN(0.1)).shape == (*shape, codec.k)
            assert codec.loss(u.reshape(*shape, codec.k), x, AWGN(0.1)).shape == shape

    def test_sends_unit_power(self, name, some, images):
        codec = some[name]
        with torch.no_grad():
            power = (
                codec.encode(words_for(codec, 64 if name == "commpy-convolutional" else 2**13, images)).square().mean()
            )
        assert float(power) == pytest.approx(1, abs=0.06)

    def test_words_do_not_see_each_other(self, name, some, images):
        u = words_for(some[name], 5, images)
        assert torch.allclose(some[name].encode(u)[:2], some[name].encode(u[:2]), atol=1e-5)

    def test_sends_its_alphabet(self, name, some, images):
        if some[name].alphabet == "antipodal":
            assert set(some[name].encode(words_for(some[name], 20, images)).unique().tolist()) == {-1.0, 1.0}

    def test_recovers_clean_bits(self, name, some, images):
        if some[name].source_alphabet == "bits":
            u = words_for(some[name], 20, images)
            for law in (AWGN(0.5), BSC(0.1)) if isinstance(some[name], BitCodec) else (AWGN(0.05),):
                assert torch.equal(some[name].decode(some[name].encode(u), law), u)

    def test_the_stake_rises_with_the_noise(self, name, some, images):
        u = words_for(some[name], 200, images)
        x = some[name].encode(u)
        quiet, loud = AWGN(0.01), AWGN(10.0)
        assert some[name].loss(u, quiet(x), quiet).mean() < some[name].loss(u, loud(x), quiet).mean()

    def test_the_stake_is_differentiable_in_what_is_received(self, name, some, images):
        u = words_for(some[name], 4, images)
        y = AWGN(0.1)(some[name].encode(u)).detach().requires_grad_()
        some[name].loss(u, y, AWGN(0.1)).sum().backward()
        assert y.grad.abs().sum() > 0

    def test_survives_pickling_and_copying(self, name, some, images):
        u = words_for(some[name], 4, images)
        for other in (pickle.loads(pickle.dumps(some[name])), copy.deepcopy(some[name])):  # noqa: S301
            assert repr(other) == repr(some[name])
            assert torch.equal(other.encode(u), some[name].encode(u))


class TestKLT:
    def test_keeps_all_of_an_image_without_noise(self, images):
        u = images.draw(20)
        codec = KLT(images, 1e-9)
        assert torch.allclose(codec.decode(codec.encode(u), AWGN(1e-9)), u, atol=1e-3)

    def test_spends_its_power_on_the_strongest_components(self, images):
        codec = KLT(images, 1.1)
        assert float(codec.powers.sum()) == pytest.approx(codec.n, rel=1e-5)
        assert codec.powers[0] > 0 == codec.powers[-1]
        assert (codec.powers.diff() <= 0).all()

    def test_names_what_does_not_fit(self, images):
        with pytest.raises(ValueError, match="n <= 784, got 785"):
            KLT(images, 1.0, n=785)
        with pytest.raises(ValueError, match="knows Gaussian noise only"):
            Linear(1).decode(torch.zeros(1, 1), BSC(0.1))

    def test_codes_a_gaussian_source_of_any_covariance(self):
        torch.manual_seed(0)
        source = Gaussian(covariance=[[2.0, 0.5], [0.5, 0.5]])
        u = source.draw(2**17)
        assert np.allclose(np.cov(u.T), source.covariance, atol=0.03)
        codec = KLT(source, 0.1)
        assert float(codec.encode(u).square().mean()) == pytest.approx(1, rel=0.02)


class TestLinear:
    @pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 5), (3, 4), (7, 8), (4, 2)])
    def test_sends_power_one_and_inverts_where_it_can(self, k, n):
        torch.manual_seed(0)
        codec, u = Linear(k, n), torch.randn(2**15, k)
        x = codec.encode(u)
        assert float(x.square().mean()) == pytest.approx(1, rel=0.03)
        heard = codec.decode(x, AWGN(1e-12))
        assert torch.allclose(heard[:, : min(k, n)], u[:, : min(k, n)], atol=1e-4)
        assert (heard[:, n:] == 0).all()

    @pytest.mark.parametrize(("k", "n"), [(1, 2), (3, 4), (5, 16)])
    def test_its_frame_is_orthonormal(self, k, n):
        assert np.allclose(frame(k, n).T @ frame(k, n), np.eye(k), atol=1e-12)

    def test_reckons_with_the_gain_of_each_word(self):
        gains = torch.tensor([[0.5], [2.0]])
        heard = Linear(3).decode(gains * torch.ones(2, 3), AWGN(1e-9, gains))
        assert torch.allclose(heard, torch.ones(2, 3), atol=1e-5)


class TestBlockCode:
    @pytest.mark.parametrize(("generator", "distance"), [(HAMMING_7_4, 3), (BCH_15_7, 5)])
    def test_has_its_distance(self, generator, distance):
        words = BlockCode(generator).words
        differ = (words.shape[1] - words @ words.T) / 2
        assert float((differ + 99 * torch.eye(len(words))).min()) == distance

    def test_ties_between_words_are_fair(self):
        torch.manual_seed(0)
        code = BlockCode(HAMMING_7_4)
        chosen = code.decode(torch.zeros(16_000, 7), BSC(0.1)) @ torch.tensor([8.0, 4.0, 2.0, 1.0])
        counts = chosen.long().bincount(minlength=16)
        assert stats.chisquare(counts).pvalue > 1e-5

    def test_its_stake_orders_words_as_the_error_rate_does(self):
        """A nearer wrong word outweighs any number of farther ones, and then more of them outweigh fewer."""
        code, u = BlockCode(HAMMING_7_4), torch.zeros(7, 4)
        x = code.encode(u)
        flipped = x * (1 - 2 * torch.tril(torch.ones(7, 7)))
        stakes = code.loss(u, flipped, BSC(0.1))
        ahead = (flipped @ code.words.T / 2)[:, 1:].amax(-1) - (flipped * x).sum(-1) / 2
        assert (stakes[ahead > 0] > 0).all()
        assert (stakes[ahead < 0] < 0).all()

    @pytest.mark.parametrize(
        ("generator", "said"),
        [(((1, 0), (1, 0)), "independent"), (((1, 2),), "0 and 1"), (((1, 0), (1,)), "one length")],
    )
    def test_refuses_what_is_no_generator(self, generator, said):
        with pytest.raises(ValueError, match=said):
            BlockCode(generator)


class TestRepetition:
    def test_ties_are_fair(self):
        torch.manual_seed(0)
        ones = int(Repetition(1, 2).decode(torch.zeros(10**5, 2), BSC(0.1)).sum())
        assert abs(ones - 50_000) < 4.5 * np.sqrt(25_000)

    def test_believes_the_law_that_it_is_told(self):
        assert Repetition(1, 3).decode(torch.ones(1, 3), BSC(0.9)).item() == 1.0

    @pytest.mark.parametrize(("k", "times"), [(0, 3), (1, 0)])
    def test_refuses_empty_words(self, k, times):
        with pytest.raises(ValueError, match="must be at least 1"):
            Repetition(k, times)


class TestSionna:
    def test_importing_it_leaves_the_generator_alone(self):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        LDPC(32, 64)
        assert torch.equal(torch.rand(3), expected)

    @pytest.mark.parametrize(("k", "n"), [(10, 5000), (100, 105)])
    def test_names_impossible_sizes_and_says_no_more(self, k, n, recwarn):
        with pytest.raises(ValueError, match=f"no 5G LDPC code with k={k}, n={n}"):
            LDPC(k, n)
        assert not recwarn


class TestTailSafeCodec:
    """The receiver is the best linear one far out, and bounded away from it nowhere."""

    @pytest.fixture
    def codec(self):
        torch.manual_seed(1)
        codec = TailSafeCodec(2, 2, hidden=8)
        with torch.no_grad():
            for weight in codec.parameters():
                weight.mul_(5)
        codec.calibrate(torch.randn(2**16, 2))
        return codec.eval()

    def test_far_out_it_is_linear(self, codec):
        y, law = torch.tensor([[40.0, -60.0], [0.0, 50.0]]), AWGN(1.1)
        assert torch.allclose(codec.decode(y, law), y / 2.1, rtol=1e-6)

    def test_its_correction_is_bounded_by_size_and_slope(self, codec):
        v = 3 * torch.randn(2000, 2)
        for correction in (codec.encoder, codec.decoder):
            assert correction(v).abs().max() <= codec.BOUND
        free, others = codec.encoder(v), v + 0.01 * torch.randn_like(v)
        slopes = (codec.encoder(others) - free).norm(dim=1) / (others - v).norm(dim=1)
        assert 0.01 * codec.encoder.lipschitz() < slopes.max() <= codec.encoder.lipschitz()

    def test_it_is_odd(self, codec):
        v, law = torch.randn(100, 2), AWGN(0.3)
        assert torch.allclose(codec.encode(-v), -codec.encode(v), atol=1e-6)
        assert torch.allclose(codec.decode(-v, law), -codec.decode(v, law), atol=1e-6)


class TestPerSymbolCodec:
    def test_treats_every_symbol_like_a_word_of_one(self):
        scalar, law, u = TailSafeCodec(hidden=8).eval(), AWGN(1.0), torch.randn(5, 3)
        codec = PerSymbolCodec(scalar, 3)
        assert torch.allclose(codec.encode(u)[:, 1:2], scalar.encode(u[:, 1:2]))
        assert torch.allclose(codec.decode(u, law)[:, 2:], scalar.decode(u[:, 2:], law))

    def test_only_a_scalar_codec_is_shared(self):
        with pytest.raises(ValueError, match="only a codec of k=1, n=1 is shared by symbols, got k=2"):
            PerSymbolCodec(Linear(2), 4)


def test_modules_that_return_other_shapes_are_named():
    with pytest.raises(ValueError, match=r"the encoder must return words of shape \(4096, 3\), got \(4096, 2\)"):
        ModuleCodec(torch.nn.Identity(), torch.nn.Identity(), 2, 3)
    codec = ModuleCodec(torch.nn.Identity(), torch.nn.Linear(2, 1), 2, 2)
    with pytest.raises(ValueError, match="the decoder must return words of shape"):
        codec.decode(torch.zeros(4, 2), AWGN(1.0))


class TestNeuralCodec:
    def test_keeps_its_slope_far_out(self):
        codec = NeuralCodec(1, 1, hidden=8)
        with torch.no_grad():
            far = codec.decoder(torch.tensor([[1e6]])) / 1e6
        assert far.item() == pytest.approx(codec.decoder.line.weight.item(), abs=1e-5)

    def test_learns_from_a_jammed_channel(self):
        codec = NeuralCodec(1, 1, hidden=8).train()
        u = torch.randn(64, 1)
        y, law = Jammer(GaussianPolicy(), 0.1).transmit(codec.encode(u), u)
        codec.loss(u, y, law).mean().backward()
        assert all(weight.grad is not None for weight in codec.parameters())
