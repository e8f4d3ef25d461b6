"""The faults of a case as a session takes them; and when they begin, in sessions in which that is known beforehand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from device_models.faults.errors import FaultError
from device_models.faults.fault import Fault, Lasts, When
from device_models.interface.image import DT_S

from ..errors import FaultScheduleError
from .case import Case
from .config import PHASES

RING_CYCLES = 16  # a link may look back so far, even when a fault does not say how far
PROBE = {"signal": "gantry.readback", "behaviour": "gain", "size": 1.0, "lasts": Lasts(blip=True)}  # once one is the same number


@dataclass(frozen=True, slots=True)
class Instant:
    """Cycles: what a fault waits for comes after `entry`, the fault itself begins after `due`."""

    entry: int
    due: int


def schedule_of(case: Case) -> Any:
    """The faults of a case; None arms nothing. FaultScheduleError for what no schedule can say."""
    if not case.faults:
        return None
    from ..injection.schedule import Schedule, ScheduleConfig

    try:
        config = ScheduleConfig.model_validate(json.loads(case.schedule))
        return Schedule(config.name, tuple(fault_from(one.model_dump()) for one in config.faults))
    except (FaultError, ValidationError) as error:
        raise FaultScheduleError(f"run {case.id}: {error}") from None


def fault_from(data: dict[str, Any]) -> Fault:
    """A fault as the model of a schedule file has it."""
    return Fault(**data | {"when": When(**data["when"]), "lasts": Lasts(**data["lasts"])})


def nothing() -> Any:
    """A schedule that arms the injection and no more."""
    from ..injection.schedule import Schedule

    return Schedule("none")


def entries(sim: Any) -> dict[str, int]:
    """Phase -> cycle after which it begins first. Runs a session that is armed, with faults that change nothing."""
    for phase in PHASES:
        try:
            sim.injector.add(Fault(phase, When(phase=phase), **PROBE))  # type: ignore[arg-type]
        except FaultScheduleError:
            continue  # a phase that this session cannot have
    sim.run()
    return {one.id: one.injected_cycle - 1 for one in sim.injector.evidence() if one.injected_cycle is not None}


def instant(when: When, entered: Mapping[str, int]) -> Instant | None:
    """When it begins in a session in which nothing has gone wrong before; None where that is not known."""
    plain = replace(when, after_s=0.0)
    if when.phase is not None and plain == When(phase=when.phase):
        entry = entered.get(when.phase)
    elif when.at_s is not None and plain == When(at_s=when.at_s):
        entry = round(when.at_s / DT_S)
    else:
        return None
    return None if entry is None else Instant(entry, entry + round(when.after_s / DT_S))


def memory_cycles(actions: tuple[Any, ...]) -> int:
    """How far back in time the disturbed wires of a fault look when it begins."""
    return max((max(RING_CYCLES, action.cycles) for action in actions if hasattr(action, "behaviour")), default=0)


def armed_late(fault: Fault, at: Instant | None, cycle: int) -> Fault:
    """The same fault for a session that is in this cycle already: what it waits for may have come, and only the delay be left."""
    if at is None or at.entry > cycle:
        return fault
    return replace(fault, when=When(at_s=round(at.due * DT_S, 2)))

