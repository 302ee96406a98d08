"""One line of an audit: a jammer, how it was found and what it does."""

from dataclasses import dataclass
from typing import Literal

from channels import Policy
from jscc_sim.attack.found import Found
from jscc_sim.attack.measure import Measured
from jscc_sim.attack.pool import Pool

Kind = Literal["none", "closed form", "search", "informed", "worst"]


@dataclass(frozen=True, eq=False)
class Row:
    """A jammer by name, its policy, what it does on the words that all rows share, and in words its parameter.

    A search has what it ``found`` at first, and the ``pool`` of its best signals that the policy was made of.
    """

    name: str
    kind: Kind
    policy: Policy | None
    measured: Measured
    says: str = ""
    found: Found | None = None
    pool: Pool | None = None
