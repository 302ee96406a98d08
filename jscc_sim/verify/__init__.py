"""Verification: verdicts on rows, and a claim on the whole instrument that would notice if any of it were wrong."""

from jscc_sim.verify.claim import Checked, Verification, verify
from jscc_sim.verify.plan import Plan, Trial, make_plan
from jscc_sim.verify.verdicts import FALSE_ALARM, LEARNED_MARGIN, Verdict, verdict

__all__ = [
    "FALSE_ALARM",
    "LEARNED_MARGIN",
    "Checked",
    "Plan",
    "Trial",
    "Verdict",
    "Verification",
    "make_plan",
    "verdict",
    "verify",
]
