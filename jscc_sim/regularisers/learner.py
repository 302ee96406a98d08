"""A player inside a regulariser, which learns by itself: the codec of a jammer, a discriminator, a critic."""

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from jscc_sim.regularisers.processes import average, follow_first

# Of Adam in players that chase a moving opponent: momentum of .9 carries them past where it was.
CHASING = (0.5, 0.999)


class Learner(nn.Module):
    """``player`` and its Adam: ``updates`` steps at rate ``lr`` at each `update`, in training only.

    Between updates the player's parameters take no gradient, so that an outer optimiser that holds them, and a wrapper
    that waits for the gradients of all parameters, leave them alone. In several processes gradients are averaged, and
    the players start as that of the first. ``state_dict`` holds the optimiser's state too, which goes with the player
    to another device.
    """

    def __init__(
        self, player: nn.Module, *, updates: int = 1, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        super().__init__()
        if not (updates >= 1 and lr > 0):
            raise ValueError(f"updates must be at least 1 and lr positive, got {updates} and {lr}")
        self.player, self.updates = player, updates
        for weight in player.parameters():  # of a player that another learner has laid to rest, too
            weight.requires_grad_()
        self.learned = list(player.parameters())
        self.optimiser = torch.optim.Adam(self.learned, lr, betas, fused=True) if self.learned else None
        self._requires_grad(learn=False)

    def update(self, loss: Callable[[], Tensor]) -> None:
        """Lower ``loss()``, computed anew in each step; nothing in evaluation, and nothing without gradients."""
        if self.optimiser is None or not (self.training and torch.is_grad_enabled()):
            return
        if any(known is not weight for known, weight in zip(self.learned, self.player.parameters(), strict=True)):
            self._take_up_player()  # load_state_dict(assign=True) and to_empty replace parameters
        if not self.optimiser.state:
            follow_first([*self.player.parameters(), *self.player.buffers()])
        self.player.train()
        self._requires_grad(learn=True)
        try:
            for _ in range(self.updates):
                self.optimiser.zero_grad()
                loss().backward(inputs=self.learned)
                average(weight.grad for weight in self.learned if weight.grad is not None)
                self.optimiser.step()
        finally:
            self.optimiser.zero_grad()
            self._requires_grad(learn=False)

    def _requires_grad(self, *, learn: bool) -> None:
        for weight in self.learned:
            weight.requires_grad_(learn)

    def _take_up_player(self) -> None:
        """Go on with the player's parameters as they are now, in place, number format and identity."""
        if self.optimiser is None:
            return
        state = self.optimiser.state_dict()
        self.learned = list(self.player.parameters())
        self.optimiser = torch.optim.Adam(self.learned)
        self.optimiser.load_state_dict(state)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        nn.Module._apply(self, fn, recurse)
        self._take_up_player()
        return self

    def get_extra_state(self) -> dict[str, Any]:
        """The optimiser's state."""
        return self.optimiser.state_dict() if self.optimiser else {}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state."""
        if self.optimiser and state:
            self.optimiser.load_state_dict(state)
