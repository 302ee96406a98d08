"""A density of the latents that is fitted after training."""

from typing import Any, Self

import torch
from torch import Tensor


class ExPostMixture:
    """A Gaussian mixture of ``components`` with full covariances, fitted to latents and sampled in place of the prior.

    It makes a generative model of an autoencoder whatever its regulariser (Ghosh, Sajjadi, Vergari, Black and
    Schölkopf, *From Variational to Deterministic Autoencoders*, ICLR 2020, where ten components are used). The fit
    depends on ``seed`` and latents alone; samples come from torch's generator.
    """

    def __init__(self, components: int = 10, *, seed: int = 0) -> None:
        if not components >= 1:
            raise ValueError(f"components must be at least 1, got {components}")
        self.components, self.seed = components, seed
        self._mixture: Any = None

    def fit(self, z: Tensor) -> Self:
        """Fit latents ``z (count, d)`` by expectation maximisation (scikit-learn's), at least one per component."""
        if z.ndim != 2 or len(z) < max(2, self.components) or not z.isfinite().all():
            raise ValueError(
                f"a mixture of {self.components} is fitted to finite latents (count, d), at least "
                f"{max(2, self.components)} of them, got {tuple(z.shape)}"
            )
        from sklearn.mixture import GaussianMixture  # here, because it takes a second to import

        mixture = GaussianMixture(self.components, random_state=self.seed)
        self._mixture = mixture.fit(z.detach().double().cpu().numpy())
        return self

    def sample(self, count: int) -> Tensor:
        """``(count, d)`` latents in float32, independent of one another."""
        if self._mixture is None:
            raise RuntimeError("the mixture was never fitted: call fit(z) with latents first")
        # Components are drawn here, because scikit-learn returns samples sorted by component.
        weights, means, factors = (torch.as_tensor(part) for part in self._parts())
        chosen = torch.multinomial(weights, count, replacement=True)
        noise = torch.randn(count, means.shape[1], 1, dtype=means.dtype)
        return (means[chosen] + (factors[chosen] @ noise).squeeze(-1)).float()

    def _parts(self) -> tuple[Any, Any, Any]:
        """Weights, means and factors of the covariances."""
        factors = torch.linalg.cholesky(torch.as_tensor(self._mixture.covariances_))
        return self._mixture.weights_, self._mixture.means_, factors
