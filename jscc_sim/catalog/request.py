"""What a sweep is asked for, in names and numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What a sweep is asked for; None means the default that suits the rest."""

    channel: str
    codecs: tuple[str, ...] = ()
    source: str | None = None
    snr_db: tuple[float, ...] | None = None
    ebn0_db: tuple[float, ...] | None = None
    at: tuple[float, ...] | None = None
    policy: str | None = None
    sjr_db: float | None = None
    flips: int | None = None
    erasures: int | None = None
    informed: bool | None = None
    attack: str | None = None
    k_factor: float | None = None
    csi: bool | None = None
    profile: str | None = None
    delay_spread: float | None = None
    speed: float | None = None
    pilots: int | None = None
    shared: str | None = None
    k: int | None = None
    n: int | None = None
    modulation: str | None = None

    def levels(self, knob: str) -> tuple[float, ...] | None:
        """The grid of a channel's ``knob``, whichever option gave it; ValueError unless one alone did, and rightly.

        That of ``ebn0_db`` is yet to be turned into SNR, by the rate of the codec.
        """
        grids = {"--snr": self.snr_db, "--ebn0": self.ebn0_db, "--at": self.at}
        given = {option: grid for option, grid in grids.items() if grid is not None}
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are the same grid: give one of them")
        for option, grid in given.items():
            if option != "--at" and knob != "snr_db":
                raise ValueError(
                    f"{option} means nothing to channel {self.channel!r}, whose knob is {knob!r}: use --at"
                )
            return grid
        return None
