"""The topic tree `linac/v1/<machine>/...`: every topic, its quality of service, and how names are made safe for it."""

from dataclasses import dataclass

ROOT = "linac/v1"
SCHEMA = "linac/v1"
STATUS, META, STATS, EVENT, INTERLOCK = "$status", "$meta", "$stats", "event", "interlock"
STATE, TELEMETRY = "state", "telemetry"
SESSION, INTERLOCKS = "session", "interlocks"
FORBIDDEN = "+#/$\0"  # of MQTT, and our own mark for what is about the machine as a whole


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of message; `topic` is what follows `linac/v1/<machine>/`."""

    topic: str
    qos: int
    retained: bool
    when: str
    what: str


KINDS = (
    Kind(STATUS, 1, True, "birth, last will, end; repeated every 5 s", "`online` or `offline` and why, session, version"),
    Kind(META, 1, True, "at every connection", "schema, axes with units, all fields with unit or values"),
    Kind(STATS, 0, False, "every second", "messages published, dropped, lost; connections; cycle overruns"),
    Kind("<subsystem>/" + STATE, 1, True, "at every connection and on change", "states, switches, settings"),
    Kind("<subsystem>/" + TELEMETRY, 0, False, "every period", "numbers of one instant, all axes of a subsystem in one message"),
    Kind(EVENT, 1, False, "when it happens", "who did what, when and why: the lines of events.jsonl"),
    Kind(INTERLOCK, 1, False, "when a row trips or clears", "row, signal, value, limit, first-out, kind of stop"),
)
QUALITY = {kind.topic.rsplit("/", 1)[-1]: (kind.qos, kind.retained) for kind in KINDS}


def topic(machine: str, *parts: str) -> str:
    """`linac/v1/<machine>/<parts>`."""
    return "/".join((ROOT, machine, *parts))


def quality(name: str) -> tuple[int, bool]:
    """(quality of service, retained) of a topic of ours."""
    return QUALITY[name.rsplit("/", 1)[-1]]


def machine_and_rest(name: str) -> tuple[str, str] | None:
    """Takes a topic apart; None if it is not of this tree."""
    head = ROOT + "/"
    machine, slash, rest = name.removeprefix(head).partition("/")
    return (machine, rest) if name.startswith(head) and machine and slash and rest else None


def safe_name(text: str) -> str:
    """A machine's name as one level of a topic: what MQTT forbids there becomes `_`."""
    return "".join("_" if c in FORBIDDEN or c.isspace() or not c.isprintable() else c for c in text)[:64] or "_"
