"""`HI`: who it is."""

import re

from device_models.interface.wire.fields import EVERY_UNIT

from ..bench import Bench

KEYS = ("proto", "unit", "axes", "fw", "serial", "session", "caps", "maxline", "baud")
SESSION = re.compile(r"[0-9A-F]{8}")
LEAST_MAXLINE = 160
TIMES = 5


def handshake(bench: Bench) -> None:
    """Every key, the same session each time, a clock in every reply that does not run backwards."""
    replies = [bench.ask("HI") for _ in range(TIMES)]
    keys, told = replies[0].keys(), bench.told
    bench.every("HI tells " + " ".join(KEYS), [key for key in KEYS if not keys.get(key)], " ".join(replies[0].args))
    bench.expect(told.unit in EVERY_UNIT, "unit is one of the page's", told.unit)
    bench.expect(SESSION.fullmatch(told.session) is not None, "session is eight upper-case hex digits", told.session)
    sessions = list(dict.fromkeys(reply.keys().get("session", "") for reply in replies))
    bench.expect(sessions == [told.session], "the session stays the same while the device runs", ", ".join(sessions))
    bench.expect(told.maxline >= LEAST_MAXLINE, f"maxline is {LEAST_MAXLINE} at least", str(told.maxline))
    bench.expect(told.axes_said >= 0, "axes is a number", keys.get("axes", "missing"))
    times = [reply.t_ms for reply in replies]
    bench.expect(min(times) >= 0 and times == sorted(times), "t is in every reply and never runs backwards", str(times))
    if bench.options.baud and told.baud:
        bench.expect(told.baud == bench.options.baud, "baud is the line's rate", f"{told.baud} at {bench.options.baud}")
