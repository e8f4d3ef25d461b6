"""Do a request and its answer fit a serial line every cycle? Worked out before the first of them is sent."""

from dataclasses import dataclass

from device_models.interface.wire.sizes import BITS_PER_BYTE, MOST_USED

from ..errors import LinkError

USUAL_BAUDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1_000_000, 1_500_000, 2_000_000, 3_000_000)


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one line: the two directions do not share it, so the larger one counts."""

    baud: int  # 0 = no serial line: everything fits
    rate_hz: float  # exchanges per second
    sent_bytes: int  # longest request of an exchange
    heard_bytes: int  # longest answer

    @property
    def used(self) -> float:
        """Share of the line, in the busier direction."""
        return self._bits_per_s / self.baud if self.baud else 0.0

    @property
    def fits(self) -> bool:
        """With some room left: a line that is full has no place for a repeat."""
        return self.used <= MOST_USED

    @property
    def highest_hz(self) -> float:
        """Exchanges per second that would fit."""
        return MOST_USED * self.baud / BITS_PER_BYTE / max(self.sent_bytes, self.heard_bytes)

    @property
    def lowest_baud(self) -> int:
        """The usual rate that would do; 0 if none does."""
        return next((baud for baud in USUAL_BAUDS if self._bits_per_s <= MOST_USED * baud), 0)

    def __str__(self) -> str:
        """One line."""
        what = f"{self.sent_bytes} B out and {self.heard_bytes} B back at {self.rate_hz:g} Hz"
        if not self.baud:
            return f"{what}: no baud rate, fits"
        return f"{what} are {self.used:.0%} of {self.baud} baud: {'fits' if self.fits else 'does not fit'}"

    @property
    def _bits_per_s(self) -> float:
        return max(self.sent_bytes, self.heard_bytes) * BITS_PER_BYTE * self.rate_hz


def require_fit(who: str, budget: Budget) -> None:
    """LinkError with the rates that would do, or nothing."""
    if budget.fits:
        return
    faster = f"set the line to {budget.lowest_baud} baud" if budget.lowest_baud else "use TCP"
    raise LinkError(f"{who}: {budget}; it carries {budget.highest_hz:.0f} Hz at most: {faster}")
