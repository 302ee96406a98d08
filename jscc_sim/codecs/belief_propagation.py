"""Belief propagation on the graph of a sparse parity-check matrix, for many words at a time."""

from functools import reduce

import numpy as np
import torch
from scipy.sparse import csr_matrix, spmatrix
from torch import Tensor, nn

from jscc_sim.codecs.no_gradient import without_gradient

# Beyond this an LLR says no more: float32 does not tell its probability from certainty.
MOST_LLR = 20.0
# φ is infinite at 0.
LEAST_LLR = 1e-6
# So many messages at a time stay in the cache; of fewer words than these, operations cost more than their numbers.
MESSAGES_AT_A_TIME = 2**19
FEWEST_WORDS = 128


class BeliefPropagation(nn.Module):
    """The sum-product algorithm: posterior LLRs of all symbols from those of the channel, both ``(words, n)``.

    All checks are updated at once, ``iterations`` times at most. A word leaves as soon as it satisfies every check, and
    the rest goes on without it; what becomes of a word does not depend on others, to the last bit. No gradient passes.
    Checks of one degree lie side by side and words along the last axis, so that gathering messages copies whole rows;
    hence its speed.
    """

    variables: Tensor

    def __init__(self, checks: spmatrix, iterations: int) -> None:
        super().__init__()
        if iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {iterations}")
        self.iterations = iterations
        rows = csr_matrix(checks)
        rows.sort_indices()
        degrees = np.diff(rows.indptr)
        self.groups: list[tuple[int, int]] = []
        variables = []
        for degree in np.unique(degrees[degrees > 0]):
            starts = rows.indptr[:-1][degrees == degree]
            self.groups.append((len(starts), int(degree)))
            variables.append(rows.indices[starts[:, None] + np.arange(degree)].ravel())
        self.register_buffer("variables", torch.from_numpy(np.concatenate(variables)).long(), persistent=False)

    def forward(self, llr: Tensor) -> Tensor:
        """Posterior LLRs ``(words, n)``, in float32; where they satisfy all checks their signs are a code word."""
        return without_gradient(self._posterior, llr)

    def _posterior(self, llr: Tensor) -> Tensor:
        words = max(FEWEST_WORDS, MESSAGES_AT_A_TIME // len(self.variables))
        return torch.cat([self._decoded(part.T.contiguous()).T for part in llr.float().split(words)])

    def _decoded(self, llr: Tensor) -> Tensor:
        """The same of ``(n, words)``."""
        posterior, total = llr.clone(), llr
        going = torch.arange(llr.shape[1], device=llr.device)
        heard = total[self.variables]
        from_checks = torch.zeros_like(heard)
        for _ in range(self.iterations):
            from_checks = self._from_checks(heard.sub_(from_checks))
            total = llr.index_add(0, self.variables, from_checks)
            posterior[:, going] = total
            heard = total[self.variables]
            wrong = self._violated(heard)
            if not wrong.any():
                break
            if not wrong.all():
                going, llr, heard, from_checks = going[wrong], llr[:, wrong], heard[:, wrong], from_checks[:, wrong]
        return posterior

    def _from_checks(self, messages: Tensor) -> Tensor:
        """What each check tells each of its symbols, of what the others told it: ``(edges, words)``, overwritten."""
        negative, sizes = messages.lt(0), _phi(messages)
        for signs, group in zip(self._grouped(negative), self._grouped(sizes), strict=True):
            # One by one: torch.sum adds up in an order that depends on how many words there are.
            group.sub_(reduce(torch.add, group.unbind(1)).unsqueeze(1))  # less than 0, which φ takes no notice of
            signs.logical_xor_(_odd(signs).unsqueeze(1))
        sizes = _phi(sizes)
        return torch.where(negative, sizes.neg(), sizes)

    def _violated(self, heard: Tensor) -> Tensor:
        """Which words ``(words,)`` violate a check, of the LLRs of the symbols at each edge."""
        odd = [_odd(signs).any(0) for signs in self._grouped(heard.lt(0))]
        return torch.stack(odd).any(0)

    def _grouped(self, edges: Tensor) -> list[Tensor]:
        """Views ``(checks, degree, words)`` of the edges."""
        parts = edges.split([count * degree for count, degree in self.groups])
        return [part.unflatten(0, group) for part, group in zip(parts, self.groups, strict=True)]

    def extra_repr(self) -> str:
        """Every parameter."""
        return f"iterations={self.iterations}"


def _odd(signs: Tensor) -> Tensor:
    """The parity ``(checks, words)`` of signs ``(checks, degree, words)``."""
    return signs.sum(1, dtype=torch.uint8).bitwise_and_(1).bool()


def _phi(llr: Tensor) -> Tensor:
    """``−log tanh(|llr|/2) = log (1 + e)/(1 − e)`` with ``e = e^−|llr|``, its own inverse; overwrites ``llr``."""
    e = llr.abs_().clamp_(LEAST_LLR, MOST_LLR).neg_().exp_()
    return torch.log1p(e).sub_(e.neg_().log1p_())
