"""Priors: what each map makes of Gaussian noise, its inverse, its gradient; then each law by itself."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from jscc_sim.gaussianity import ks, radial_chi2
from jscc_sim.regularisers.priors import (
    PRIORS,
    Exponential,
    KnotheRosenblatt,
    Laplace,
    Scipy,
    StandardNormal,
    SwissRoll,
    Uniform,
)
from jscc_sim.regularisers.priors.tails import gaussian_quantile, log_tails

COUNT = 20_000
# The Kolmogorov-Smirnov distance of COUNT draws exceeds this with probability 1e-5 (2 exp(−2 · 2.47²)).
ALARM = 2.47 / math.sqrt(COUNT)


def three_dimensional() -> KnotheRosenblatt:
    roots = torch.randn(4, 3, 3, generator=torch.Generator().manual_seed(5)).double() / 2
    means = torch.tensor([[0.0, 0, 0], [2, 1, 0], [-1, 2, 1], [0, -2, 2]])
    return KnotheRosenblatt(torch.tensor([0.1, 0.2, 0.3, 0.4]), means, roots @ roots.mT + 0.05 * torch.eye(3))


ALL = {
    **PRIORS,
    "student": lambda: Scipy(stats.t(4)),
    "beta": lambda: Scipy(stats.beta(2, 5)),
    "gamma": lambda: Scipy(stats.gamma(0.7, scale=2)),
    "normal": lambda: Scipy(stats.norm(1, 2)),
    "mixture": three_dimensional,
}
MARGINALS = {
    "uniform": stats.uniform(),
    "uniform_symmetric": stats.uniform(-1, 2),
    "laplace": stats.laplace(scale=math.sqrt(0.5)),
    "exponential": stats.expon(),
    "student": stats.t(4),
    "gamma": stats.gamma(0.7, scale=2),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", ALL)
class TestEveryPrior:
    def test_is_undone(self, name):
        """In float64; the Swiss roll only where it is one to one."""
        prior = ALL[name]()
        v = torch.randn(2000, 2 * prior.width).double()
        if name == "swiss_roll":
            v = v.clamp(-2, 2)
        assert torch.allclose(prior.to_gaussian(prior.from_gaussian(v)), v, atol=1e-6)

    def test_its_samples_become_gaussian(self, name):
        """False-alarm rate 1e-5 for each coordinate."""
        prior = ALL[name]()
        v = prior.to_gaussian(prior.sample(COUNT, prior.width).double())
        assert ks(v.numpy()) < ALARM + (name == "swiss_roll") * 0.02

    def test_its_gradients_are_those_of_finite_differences(self, name):
        prior = ALL[name]()
        v = (torch.randn(12, 2 * prior.width).double() * 1.5).clamp(-2, 2).requires_grad_()
        assert torch.autograd.gradcheck(prior.from_gaussian, v, eps=1e-6, atol=1e-4, rtol=1e-3)
        z = prior.from_gaussian(v).detach().requires_grad_()
        assert torch.autograd.gradcheck(prior.to_gaussian, z, eps=1e-7, atol=1e-4, rtol=1e-3)

    def test_is_finite_and_increasing_far_out(self, name):
        """To eight deviations in float32, where Φ itself is 1."""
        prior = ALL[name]()
        v = torch.linspace(-8, 8, 161)[:, None].repeat(1, prior.width).requires_grad_()
        z = prior.from_gaussian(v)
        z.sum().backward()
        assert z.isfinite().all()
        assert v.grad.isfinite().all()
        if name not in ("swiss_roll", "ring", "petals", "mixture"):
            assert (z.diff(dim=0) >= 0).all()

    def test_keeps_dtype_and_shape(self, name):
        prior = ALL[name]()
        v = torch.randn(3, 4, 3 * prior.width)
        z = prior.from_gaussian(v)
        assert (z.shape, z.dtype) == (v.shape, v.dtype)
        assert prior.to_gaussian(z).dtype == v.dtype
        assert prior.sample(5, 2 * prior.width).shape == (5, 2 * prior.width)

    def test_refuses_half_a_block(self, name):
        prior = ALL[name]()
        if prior.width > 1:
            with pytest.raises(ValueError, match=f"blocks of {prior.width}"):
                prior.from_gaussian(torch.zeros(2, prior.width + 1))


class TestTails:
    def test_the_quantile_is_exact_to_forty_deviations(self):
        v = torch.linspace(-40, 40, 801).double()
        assert torch.allclose(gaussian_quantile(*log_tails(v)), v, rtol=1e-12, atol=1e-12)

    def test_and_to_twelve_in_single_precision(self):
        v = torch.linspace(-12, 12, 241)
        assert torch.allclose(gaussian_quantile(*log_tails(v)), v, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "law"), MARGINALS.items())
class TestMarginals:
    def test_quantiles_are_those_of_scipy(self, name, law):
        v = np.linspace(-8, 8, 81)
        exact = np.where(v < 0, law.ppf(stats.norm.cdf(v)), law.isf(stats.norm.sf(v)))
        assert ALL[name]().from_gaussian(torch.as_tensor(v)).numpy() == pytest.approx(exact, rel=1e-9, abs=1e-15)

    def test_samples_have_the_law(self, name, law):
        """In float32 (false-alarm rate 1e-5)."""
        assert stats.kstest(ALL[name]().sample(COUNT, 1)[:, 0], law.cdf).statistic < ALARM

    def test_the_ends_are_finite(self, name, law):
        ends = torch.tensor([law.ppf(0), law.isf(0)], dtype=torch.float32).clamp(-100, 100).requires_grad_()
        v = ALL[name]().to_gaussian(ends)
        v.sum().backward()
        assert v.abs().max() < 40
        assert not ends.grad.isnan().any()


class TestMixtures:
    @pytest.mark.parametrize("name", ["two_modes", "ring", "petals", "mixture"])
    def test_the_map_makes_what_components_make(self, name):
        """Both as N(0, I) through the inverse: coordinates and radius (false-alarm rate 1e-5 each)."""
        prior = ALL[name]()
        words, labels = prior.labelled(COUNT)
        assert torch.bincount(labels).double() / COUNT == pytest.approx(prior.weights.numpy(), abs=0.02)
        v = prior.to_gaussian(words.double()).numpy()
        assert ks(v) < ALARM
        assert radial_chi2(v) < ALARM
        assert abs(np.corrcoef(v.T) - np.eye(prior.width)).max() < 4.4 / math.sqrt(COUNT) or prior.width == 1

    def test_the_ring_has_five_modes(self):
        """Of points drawn through the map, each component has its fifth, within 4.4 standard errors (1e-5)."""
        prior = KnotheRosenblatt.ring(deviation=0.05)
        found = prior.responsibilities(prior.sample(COUNT, 2)).argmax(-1).bincount() / COUNT
        assert found.numpy() == pytest.approx(0.2, abs=4.4 * math.sqrt(0.16 / COUNT))

    def test_one_component_is_the_cholesky_map(self):
        covariance = torch.tensor([[[2.0, 1.0], [1.0, 3.0]]])
        prior = KnotheRosenblatt(torch.ones(1), torch.tensor([[1.0, -1.0]]), covariance)
        v = torch.randn(50, 2).double()
        exact = v @ torch.linalg.cholesky(covariance[0].double()).T + torch.tensor([1.0, -1.0])
        assert torch.allclose(prior.from_gaussian(v), exact, atol=1e-9)

    def test_its_jacobian_is_triangular_and_that_of_the_density(self):
        """``log det J = log φ(v) − log f(z)``."""
        prior = three_dimensional()
        v = torch.randn(3).double()
        jacobian = torch.autograd.functional.jacobian(prior.from_gaussian, v)
        assert jacobian.triu(1).abs().max() == 0
        z = prior.from_gaussian(v)
        parts = [stats.multivariate_normal(m, c) for m, c in zip(prior.means, prior.covariances, strict=True)]
        density = sum(w * part.pdf(z.numpy()) for w, part in zip(prior.weights.numpy(), parts, strict=True))
        exact = float(torch.distributions.Normal(0, 1).log_prob(v).sum()) - math.log(density)
        assert float(jacobian.diagonal().log().sum()) == pytest.approx(exact, abs=1e-6)

    def test_refuses_nonsense(self):
        with pytest.raises(ValueError, match="positive and sum to 1"):
            KnotheRosenblatt(torch.tensor([0.5, 0.6]), torch.zeros(2, 1), torch.ones(2, 1, 1))
        with pytest.raises(ValueError, match="disagree"):
            KnotheRosenblatt(torch.ones(1), torch.zeros(2, 1), torch.ones(2, 1, 1))
        with pytest.raises(ValueError, match="covariances must be"):
            KnotheRosenblatt(torch.ones(1), torch.zeros(1, 2), torch.ones(1, 1, 1))
        with pytest.raises(ValueError, match="component 0 is not"):
            KnotheRosenblatt(torch.ones(1), torch.zeros(1, 2), -torch.eye(2)[None])
        with pytest.raises(ValueError, match="between 0 and 1"):
            KnotheRosenblatt.two_modes(1.5)


def test_labels_of_the_swiss_roll_run_along_it():
    words, labels = SwissRoll().labelled(COUNT)
    lengths = torch.stack([words[labels == label].norm(dim=1).mean() for label in range(10)])
    assert (lengths.diff() > 0).all()
    assert labels.bincount().double().numpy() / COUNT == pytest.approx(0.1, abs=4.4 * math.sqrt(0.09 / COUNT))


def test_refusals():
    for make in (
        lambda: Uniform(1, 1),
        lambda: Uniform(0, math.nan),
        lambda: Laplace(0),
        lambda: Exponential(math.inf),
        lambda: Scipy(stats.poisson(3)),
        lambda: SwissRoll(deviation=0),
    ):
        with pytest.raises(ValueError, match="got"):
            make()


def test_reprs_show_the_law():
    assert repr(StandardNormal()) == "StandardNormal()"
    assert repr(Uniform(-1, 1)) == "Uniform(low=-1, high=1)"
    assert repr(Scipy(stats.t(4))) == "Scipy('t', (4,), {})"
    assert repr(KnotheRosenblatt.two_modes()).startswith("KnotheRosenblatt(weights=[0.5, 0.5], means=[[-0.95")
