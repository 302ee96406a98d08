"""What SNR, power and bandwidth a user's own code truly delivers, and the name of the slip if it is not what was asked.

One definition throughout, that of `channels.power`: SNR is signal power over noise power per real use, and a complex
symbol is two real uses. Where the noise of a complex symbol is circular the ratio per symbol is the same.
"""

from jscc_sim.snr_check.check import MOST_ASKED, check_snr
from jscc_sim.snr_check.report import HARMLESS, Finding, Measured, SnrReport

__all__ = ["HARMLESS", "MOST_ASKED", "Finding", "Measured", "SnrReport", "check_snr"]
