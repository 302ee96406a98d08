"""What a sweep is asked for, in names and numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What a sweep is asked for; None means the default that suits the rest."""

    channel: str
    codecs: tuple[str, ...] = ()
    source: str | None = None
    snr_db: tuple[float, ...] | None = None
    at: tuple[float, ...] | None = None
    policy: str | None = None
    sjr_db: float | None = None
    flips: int | None = None
    erasures: int | None = None
    informed: bool | None = None
    attack: str | None = None
    k_factor: float | None = None
    csi: bool | None = None
    shared: str | None = None
    k: int | None = None
    n: int | None = None

    def levels(self, knob: str) -> tuple[float, ...] | None:
        """The grid of a channel's ``knob``, whichever option gave it; ValueError unless one alone did, and rightly."""
        if self.snr_db is not None and self.at is not None:
            raise ValueError("--snr and --at are the same grid: give one of them")
        if self.snr_db is not None and knob != "snr_db":
            raise ValueError(f"--snr means nothing to channel {self.channel!r}, whose knob is {knob!r}: use --at")
        return self.snr_db if self.at is None else self.at
