"""Two steps before anything radiates: ARm with a nonce, FIre with the same one within two seconds."""

import re

from .errors import Code, Refused

NONCE = re.compile(r"[0-9A-F]{4}")
LAPSES_MS = 2000


class Arming:
    """Which nonce, since when, and whether it has been confirmed. Times are the device's clock, ms.

    `lapses_ms`: of what radiates nothing there is none.
    """

    def __init__(self) -> None:
        self.nonce, self.since_ms, self.armed = "", 0, False
        self.lapses_ms: int | None = LAPSES_MS

    def ask(self, nonce: str, now_ms: int) -> None:
        """`AR`: another nonce ends what was."""
        if NONCE.fullmatch(nonce) is None:
            raise Refused(Code.SYNTAX, "nonce=XXXX")
        self.nonce, self.since_ms, self.armed = nonce, now_ms, False

    def confirm(self, nonce: str, now_ms: int) -> None:
        """`FI`: once per `AR`."""
        self.check(nonce, now_ms)
        self.nonce, self.armed, self.since_ms = "", True, now_ms

    def check(self, nonce: str, now_ms: int) -> None:
        """Is this the nonce, in time? If it is not, it is gone."""
        late = self.lapses_ms is not None and now_ms - self.since_ms > self.lapses_ms
        if not self.nonce or nonce != self.nonce or late:
            self.nonce = ""
            raise Refused(Code.UNARMED)

    def lapse(self, now_ms: int, used: bool) -> None:
        """Armed and not used for two seconds is armed no more."""
        self.armed = self.armed and (used or now_ms - self.since_ms <= LAPSES_MS)

    def end(self) -> None:
        """Nothing radiates from here on."""
        self.nonce, self.armed = "", False
