"""Two steps before anything radiates: ARm with a nonce, FIre with the same one within two seconds."""

import re

from .errors import Code, Refused

NONCE = re.compile(r"[0-9A-F]{4}")
LAPSES_MS = 2000


class Arming:
    """Which nonce, since when, and whether it has been confirmed. Times are the device's clock, ms."""

    def __init__(self) -> None:
        self.nonce, self.since_ms, self.armed = "", 0, False

    def ask(self, nonce: str, now_ms: int) -> None:
        """`AR`: another nonce ends what was."""
        if NONCE.fullmatch(nonce) is None:
            raise Refused(Code.SYNTAX, "nonce=XXXX")
        self.nonce, self.since_ms, self.armed = nonce, now_ms, False

    def confirm(self, nonce: str, now_ms: int) -> None:
        """`FI`: once per `AR`."""
        asked, self.nonce = self.nonce, ""
        if not asked or nonce != asked or now_ms - self.since_ms > LAPSES_MS:
            raise Refused(Code.UNARMED)
        self.armed, self.since_ms = True, now_ms

    def lapse(self, now_ms: int, used: bool) -> None:
        """Armed and not used for two seconds is armed no more."""
        self.armed = self.armed and (used or now_ms - self.since_ms <= LAPSES_MS)

    def end(self) -> None:
        """Nothing radiates from here on."""
        self.nonce, self.armed = "", False
