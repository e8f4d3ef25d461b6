"""An imager behind bytes, asked between cycles. What is wrong with it is a RefusedError or a DeviceError, never anything else."""

import time
from collections.abc import Callable
from typing import Any

from device_models.interface.wire.fields import Unit
from device_models.interface.wire.frames import hear_frame
from device_models.interface.wire.framing import Line, integer

from ..errors import DeviceError, LinkError, RefusedError
from .client import Client
from .identity import ask_identity
from .pixels import fetch
from .stats import LinkStats

LOOK_S = 1.0  # of machine time between two questions whether it is still there
WATCHDOG_MS = 10_000
STATES = {"0": "has powered up again", "4": "was stopped by its stop byte", "5": "has waited for us too long (COMM)",
          "6": "has a fault"}
WORDS = {
    "door": "no exposure: the door is open; close it",
    "switch": "no exposure: the exposure switch is not held",
    "enable": "no exposure: X-rays are not enabled; look at the key and the emergency stops",
    "heat": "the anode is too hot for this exposure; wait, or lower the mAs",
    "power": "more power asked than the tube can take; lower kV or mA",
    "place": "source and panel do not face each other; move the arms to their places",
    "nothing": "nothing was gathered; start the panel before the beam, and give one",
    "storage": "it cannot store pixels; make room on its computer",
    "readings": "an axis does not know where it is; image again",
}
BROKEN = ("storage", "readings")  # it could not, rather than would not


class ImagerLine:
    """`name`: in messages. `tell`: hears once that the imager is lost."""

    lockstep = True  # machine time stands still while it is asked

    def __init__(self, name: str, unit: Unit, client: Client, baud: int = 0) -> None:
        self.name, self.unit, self.client = name, unit, client
        self.identity = ask_identity(client, unit, (), baud)
        self.stats = LinkStats()
        self.tell: Callable[[str], None] = lambda why: None
        self.up, self.why, self.nonce = True, "", 0
        if missing := [cap for cap in ("ar", "im") if cap not in self.identity.caps]:
            raise LinkError(f"{client.name}: no images from a {unit.name} without capability `{missing[0]}`; see the wire protocol "
                            "page")
        client.ask(f"RS {self.identity.session}")
        client.ask(f"WD {WATCHDOG_MS}")

    # --- images

    def arm(self) -> None:
        """First step of two."""
        self.nonce = (self.nonce + 1) % 65536
        self.ask(f"AR {self.nonce:04X}")

    def fire(self, *values: int) -> int:
        """Second step; -> number of the frame."""
        told = self.ask(" ".join(map(str, (f"FI {self.nonce:04X}", *values))))
        number = integer(told[1], 0) if len(told) == 2 else None
        if number is None:
            raise DeviceError(f"{self.name}: `FI` is answered with {' '.join(told)!r}, which names no frame; look at its firmware")
        return number

    def frame(self, number: int) -> tuple[Any, Any]:
        """-> FRAME (1,), pixels (rows, columns) uint16."""
        told = self.ask(f"IM {number}")
        record = hear_frame(told)
        if record is None or int(record["number"][0]) != number:
            raise DeviceError(f"{self.name}: frame {number} has no metadata: {' '.join(told)[:80]!r}; look at its firmware")
        place = self.ask(f"PX {number}")
        return record, fetch(self.name, place[0] if len(place) == 1 else " ".join(place), number, int(record["rows"][0]),
                             int(record["columns"][0]))

    def disarm(self) -> None:
        """What was armed is not wanted; an imager that does not hear it is lost, and that is noted."""
        self._quietly("HT")

    def look(self) -> None:
        """Is it there? Feeds its watchdog as well. Raises nothing."""
        self._quietly("ST")

    def leave(self) -> None:
        """The run is over, and nobody needs to hear any more of it."""
        self.tell = lambda why: None
        if self.up:
            self.disarm()

    # --- one exchange

    def ask(self, body: str) -> list[str]:
        """Arguments of the reply after `OK t`."""
        line = self._exchange(body)
        if line.verb != "OK":
            self.stats.refused += 1
            self.stats.last_refusal = " ".join(line.args[1:])
            raise self._refusal(body, line)
        return list(line.args[1:])

    def _exchange(self, body: str) -> Line:
        if not self.up:
            raise DeviceError(f"{self.name}: {self.why}; look at its line, then start again")
        self.stats.sent += 1
        sent_ns = time.monotonic_ns()
        try:
            line = self.client.exchange(body)
        except LinkError as silence:
            self._lost(str(silence))
            raise DeviceError(f"{self.name}: {self.why}") from None
        finally:
            self.stats.invalid = self.client.decoder.counts.invalid
        self.stats.answered += 1
        self.stats.add_latency((time.monotonic_ns() - sent_ns) // 1000)
        return line

    def _quietly(self, body: str) -> None:
        try:
            self.ask(body)
        except (DeviceError, RefusedError) as failure:
            self.stats.last_refusal = str(failure)

    def _lost(self, why: str) -> None:
        self.up, self.why = False, why.removeprefix(f"{self.client.name}: ")
        self.tell(f"link lost: {self.why}")

    def _refusal(self, body: str, line: Line) -> RefusedError | DeviceError:
        """What its numbers and words mean."""
        told = dict(word.partition("=")[::2] for word in line.args[3:])
        code, why, state = line.args[1] if len(line.args) > 1 else "", told.get("why", ""), told.get("state", "")
        if why in WORDS:
            return (DeviceError if why in BROKEN else RefusedError)(f"{self.name}: {WORDS[why]}")
        if code == "3" and "fi" in told:
            range_ = f"{told.get('low')} to {told.get('high')}"
            return RefusedError(f"{self.name}: `{body}`: {told['fi']} is outside {range_}; change the technique")
        if code == "4" and state in STATES:
            return DeviceError(f"{self.name}: it {STATES[state]}; look at why, then start again")
        if code == "5":
            return DeviceError(f"{self.name}: `{body}` came too late after arming, or for another one; image again")
        return DeviceError(f"{self.name}: refuses `{body}`: {' '.join(line.args[1:])}; see the wire protocol page")
