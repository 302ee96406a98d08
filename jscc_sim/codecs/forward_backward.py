"""The forward-backward algorithm (BCJR) for a recursive convolutional code, for many words at a time."""

import math
from itertools import product

import torch
from torch import Tensor, nn

# Beyond this a bit is as good as known; and what cannot be costs more than all bits of a word, yet not ∞, as ∞ − ∞ is
# no number.
SURE = 100.0
IMPOSSIBLE = 1e7
# Below this a logarithm adds nothing, and takes long: float32 has its probability in fewer digits.
LEAST = -80.0
# So many numbers of paths at a time: about 370 words of 256 bits.
PATHS = 2**21


class ForwardBackward(nn.Module):
    """Posterior LLRs of the bits of a terminated recursive systematic code of rate 1/2, in float32.

    ``to_nodes`` and ``parities`` ``(states, 2)`` say by state and bit where a step leads and what parity it sends. As
    many steps as the memory lead from each state to each state in one way, whatever the code: they are taken at once,
    forward in time and backward in the same operations, of which there are few enough for an interpreter; hence its
    speed. What becomes of a word does not depend on others, to the last bit.

    Bahl, Cocke, Jelinek, Raviv: Optimal decoding of linear codes for minimizing symbol error rate, 1974.
    """

    bits: Tensor
    sent: Tensor

    def __init__(self, to_nodes: Tensor, parities: Tensor) -> None:
        super().__init__()
        self.states = len(to_nodes)
        self.memory = self.states.bit_length() - 1
        bits, sent = torch.empty(2, self.states, self.states, dtype=torch.long)  # of the way to a state from a state
        for start, word in product(range(self.states), repeat=2):
            state, parity = start, 0
            for place in reversed(range(self.memory)):
                bit = word >> place & 1
                parity = 2 * parity + int(parities[state, bit])
                state = int(to_nodes[state, bit])
            bits[state, start], sent[state, start] = word, parity
        self.register_buffer("bits", bits.flatten(), persistent=False)
        self.register_buffer("sent", sent.flatten(), persistent=False)

    def forward(self, systematic: Tensor, parity: Tensor) -> Tensor:
        """Posterior LLRs ``(steps, words)`` of bits, from those of what was sent and, added to the first, known before.

        The first state and the last are 0.
        """
        words = max(1, PATHS // (self.states**2 * math.ceil(len(systematic) / self.memory)))
        parts = zip(systematic.split(words, 1), parity.split(words, 1), strict=True)
        return torch.cat([self._posterior(*part) for part in parts], 1)

    def _posterior(self, systematic: Tensor, parity: Tensor) -> Tensor:
        systematic, parity = (llr.float().clamp(-SURE, SURE) for llr in (systematic, parity))
        ahead = -len(systematic) % self.memory  # steps of zeros, which do not leave state 0
        systematic = nn.functional.pad(systematic, (0, 0, ahead, 0), value=IMPOSSIBLE)
        parity = nn.functional.pad(parity, (0, 0, ahead, 0))
        path = self._likelihood(systematic)[:, self.bits] + self._likelihood(parity)[:, self.sent]
        path = path.unflatten(1, (self.states, self.states))  # (strides, to, from, words)
        before, after = self._reached(path)
        path += before.unsqueeze(1)
        path += after.unsqueeze(2)
        by_bits = path.flatten(1, 2)[:, self.bits.argsort(stable=True)].unflatten(1, (self.states, self.states))
        likelihood = _log_sum(by_bits, 2)  # (strides, words of bits, words)
        found = []
        for place in reversed(range(self.memory)):
            halves = likelihood.unflatten(1, (-1, 2, 2**place))
            zero, one = (halves[:, :, bit].flatten(1, 2) for bit in (0, 1))
            found.append(_log_sum(zero, 1) - _log_sum(one, 1))
        return torch.stack(found, 1).flatten(0, 1)[ahead:]

    def _likelihood(self, llr: Tensor) -> Tensor:
        """Log likelihoods ``(strides, states, words)`` of ``memory`` bits in a row, the first highest, beside zeros."""
        strides = llr.unflatten(0, (-1, self.memory))
        found = strides.new_zeros(len(strides), 1, llr.shape[-1])
        for place in reversed(range(self.memory)):
            found = torch.cat([found, found - strides[:, place : place + 1]], 1)
        return found

    def _reached(self, path: Tensor) -> tuple[Tensor, Tensor]:
        """Log likelihoods ``(strides, states, words)``: before each given the past, after each given the future."""
        strides = len(path)
        both = torch.stack([path, path.flip(0).transpose(1, 2)], 1)
        likelihood = path.new_full((2, self.states, path.shape[-1]), -IMPOSSIBLE)
        likelihood[:, 0] = 0
        found = path.new_empty(strides, *likelihood.shape)
        for stride in range(strides):
            found[stride] = likelihood
            likelihood = _log_sum(both[stride] + likelihood.unsqueeze(1), 2)
            likelihood = likelihood - likelihood.amax(1, keepdim=True)
        return found[:, 0], found[:, 1].flip(0)


def _log_sum(logarithms: Tensor, axis: int) -> Tensor:
    """The logarithm of a sum along an axis as long as a power of two, in an order that does not depend on others."""
    most = logarithms.amax(axis, keepdim=True)
    total = (logarithms - most).clamp_(min=LEAST).exp_()
    while total.shape[axis] > 1:
        first, second = total.chunk(2, axis)
        total = first + second
    return (total.log_() + most).squeeze(axis)
