"""From a fault to what is done: the actions of its mode, or the one that it names itself; and its moment as a row."""


import re
from typing import Any

from device_models.disturb.moment import AT_LEAST, AT_MOST, EQUAL, PASSED, new_moments
from device_models.disturb.words import Words
from device_models.faults.action import Action, Wire, Write
from device_models.faults.behaviour import NEEDS, Behaviour, Needs
from device_models.faults.errors import FaultError, nearest
from device_models.faults.fault import Fault, When
from device_models.faults.modes import find
from device_models.faults.modes.mode import Place
from device_models.interface.image import DT_S

from ..control.phases import Hold, Phase

TRUTH = re.compile(r"^\s*(\S+)\s*(>=|<=|==)\s*(\S+)\s*$")
KINDS = {">=": AT_LEAST, "<=": AT_MOST, "==": EQUAL}
CONTROLLED = {  # phases that the cycle itself can see
    "idle": Phase.IDLE, "setup": Phase.MOVE, "arm": Phase.READY, "beam_on": Phase.BEAM, "terminate": Phase.STOPPED,
}


def actions_of(fault: Fault, place: Place) -> tuple[Action, ...]:
    """What is done; FaultError for what cannot be."""
    if fault.mode is not None:
        mode = find(fault.mode)
        return mode.actions(mode.settle(fault.set), place)
    if fault.parameter is not None and fault.value is not None:
        if not fault.parameter.startswith("plant."):
            raise FaultError(f"{fault.parameter!r}: a parameter is one of the plant, like plant.mlc[17].moves; wires are signals")
        return (Write(fault.parameter, fault.value),)
    return (Wire(fault.signal or "", behaviour_of(fault), fault.size, fault.size_2, fault.cycles, fault.chance, fault.other),)


def behaviour_of(fault: Fault) -> Behaviour:
    """By its name; FaultError with the nearest, and for a size that is missing."""
    names = [b.name.lower() for b in Behaviour]
    if fault.behaviour not in names:
        raise FaultError(f"behaviour {fault.behaviour!r}: unknown{nearest(str(fault.behaviour), names)}")
    kind = Behaviour[str(fault.behaviour).upper()]
    need = NEEDS.get(kind, Needs.NOTHING)
    if (need is Needs.CYCLES and fault.cycles < 1) or (need is Needs.OTHER and not fault.other):
        raise FaultError(f"behaviour {fault.behaviour}: needs {need.name.lower()}")
    if need is Needs.SIZE and fault.size == 0.0 and kind not in (Behaviour.GAIN, Behaviour.CLIP):
        raise FaultError(f"behaviour {fault.behaviour}: needs a size other than 0")
    return kind


def moment_of(when: When, words: Words, index: int) -> Any:
    """MOMENT (1,): armed if the cycle can see it; else somebody else sets `due`."""
    row = new_moments(1)
    row["fault"], row["after"], row["armed"] = index, round(when.after_s / DT_S), 1
    row["beam"] = -1 if when.beam is None else when.beam
    for name, value in condition(when, words).items():
        row[name] = value
    return row


def condition(when: When, words: Words) -> dict[str, Any]:
    """Fields of the row."""
    if when.at_s is not None or when.message is not None:
        at = round(when.at_s / DT_S) if when.at_s is not None else when.message
        return at_word(words, "control.job.cycle", AT_LEAST, at)
    if when.mu is not None:
        return at_word(words, "plant.beam.true_mu", AT_LEAST, when.mu) | {"phases": int(Phase.BEAM)}
    if when.mu_percent is not None:
        per = words.one("control.job.mu_end")
        return at_word(words, "plant.beam.true_mu", AT_LEAST, when.mu_percent / 100.0) | {
            "per_part": per.part, "per_word": per.word, "phases": int(Phase.BEAM)}
    if when.control_point is not None:
        return at_word(words, "control.job.segment", AT_LEAST, when.control_point) | {"phases": int(Phase.BEAM)}
    if when.gantry_deg is not None:
        return at_word(words, "plant.gantry.position", PASSED, when.gantry_deg)
    if when.truth is not None:
        return truth_of(when.truth, words)
    if when.phase == "hold":
        return at_word(words, "control.job.hold", EQUAL, int(Hold.HOLD)) | {"phases": int(Phase.BEAM), "edge": 1}
    if when.phase in CONTROLLED:
        return at_word(words, "control.job.phase", EQUAL, int(CONTROLLED[when.phase])) | {"edge": 1}
    return {"armed": 0}


def at_word(words: Words, path: str, kind: int, threshold: Any) -> dict[str, Any]:
    """A condition on one word."""
    word = words.one(path)
    return {"part": word.part, "word": word.word, "whole": int(word.whole), "kind": kind, "threshold": float(threshold)}


def truth_of(text: str, words: Words) -> dict[str, Any]:
    """`path >= number`; FaultError for anything else."""
    found = TRUTH.match(text)
    if found is None:
        raise FaultError(f"when.truth: {text!r}; write it like plant.beam.true_mu >= 12.5, with >=, <= or ==")
    try:
        return at_word(words, found[1], KINDS[found[2]], float(found[3]))
    except ValueError as error:
        raise error if isinstance(error, FaultError) else FaultError(f"when.truth: {found[3]!r} is no number") from None
