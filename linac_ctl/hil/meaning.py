"""What a valid line says, in words: states, flags and refusals by name."""

from dataclasses import dataclass, field

from device_models.interface.wire.framing import Line

STATES = ("BOOT", "IDLE", "HOLD", "MOVE", "STOP", "COMM", "FAULT")
FLAGS = {1: "power", 2: "reference", 4: "ARMED", 8: "lockstep", 16: "moving"}
VERBS = {
    "HI": "who are you", "DD": "describe", "ST": "status", "SV": "cyclic", "EN": "drive power", "HT": "halt", "RS": "reset",
    "WD": "watchdog", "TM": "telemetry", "CN": "counters", "TT": "terminal mode", "MV": "move", "MA": "move all", "LS": "lockstep",
    "TK": "cycles", "AR": "arm", "FI": "fire", "IM": "image", "PX": "pixels",
}
WITH_STATUS = ("ST", "SV", "TK")
WITH_STATE = (*WITH_STATUS, "EN", "HT", "RS", "MV", "MA")
WITH_FLAGS = ("LS", "AR", "FI")
COUNTERS = ("good", "invalid", "repeated", "old", "stops", "expiries")


@dataclass(slots=True)
class Listener:
    """Hears both directions and remembers what was asked: a reply does not say what it answers."""

    asked: dict[int, str] = field(default_factory=dict)

    def meaning(self, line: Line) -> str:
        """In words; "" if there is nothing to add."""
        if line.start == b">":
            self.asked[line.sequence] = line.verb
            return VERBS.get(line.verb, "unknown verb")
        if line.start == b"~":
            return f"telemetry at {clock(line)}: {status(line.args[1:])}"
        if line.start == b"!":
            return f"event at {clock(line)}: {' '.join(line.args[1:])}"
        return self.reply(line)

    def reply(self, line: Line) -> str:
        """By what was asked with this number."""
        verb, rest = self.asked.get(line.sequence, ""), line.args[1:]
        if line.verb == "ER":
            return f"{verb or 'request'} refused at {clock(line)}: {' '.join(rest[1:])}"
        told = f"{verb or 'reply'} at {clock(line)}"
        return f"{told}: {words}" if (words := answer(verb, rest)) else told


def answer(verb: str, rest: tuple[str, ...]) -> str:
    """What the arguments after the clock mean, where that is not plain to see."""
    if verb in WITH_STATE:
        return status(rest)
    if verb in WITH_FLAGS:
        return flags(rest[0]) if rest else ""
    return ", ".join(f"{count} {name}" for count, name in zip(rest, COUNTERS, strict=False)) if verb == "CN" else ""


def status(args: tuple[str, ...]) -> str:
    """State and flags."""
    return f"{state(args[0])} ({flags(args[1])})" if len(args) > 1 else " ".join(args)


def state(word: str) -> str:
    """By its number."""
    return STATES[int(word)] if word.isdigit() and int(word) < len(STATES) else f"state {word}"


def flags(word: str) -> str:
    """Names of those that are set."""
    if not word.isdigit():
        return f"flags {word}"
    named = [name for bit, name in FLAGS.items() if int(word) & bit]
    more = int(word) & ~sum(FLAGS)
    return ", ".join([*named, *([f"+{more}"] if more else [])]) or "no flags"


def clock(line: Line) -> str:
    """The device's time."""
    word = line.args[0] if line.args else ""
    return f"{int(word) / 1000:.3f} s" if word.isdigit() else "?"
