"""The worst jammer that can be found for any codec, and where the search may be fooled."""

from jscc_sim.attack.audit import Audit, attack
from jscc_sim.attack.ensemble import ROWS
from jscc_sim.attack.flags import Flag
from jscc_sim.attack.row import Row
from jscc_sim.attack.timesharing import TimeSharing
from jscc_sim.attack.victim import Victim

__all__ = ["ROWS", "Audit", "Flag", "Row", "TimeSharing", "Victim", "attack"]
