"""A fault as somebody said it while the session ran, in the words of a schedule."""

from typing import Any

from pydantic import ValidationError

from device_models.faults.action import Alter
from device_models.faults.errors import FaultError
from device_models.faults.fault import Fault, Lasts, When
from device_models.interface.image import DT_S

from ..config.suggest import did_you_mean
from ..errors import FaultScheduleError
from ..injection.alterations import AT_LOAD
from ..injection.loading import new_live, place_of
from ..injection.schedule import FaultConfig
from ..order import Order


def fault_of(said: Any, taken: list[str], cycle: int) -> Fault:
    """FaultScheduleError for what no fault is. Without `when` it is this cycle, without `id` a name that is free."""
    if not isinstance(said, dict):
        raise FaultScheduleError("fault: say it as in a schedule: {mode: ACT-04, set: {leaf: 17}}")
    full = {"id": free(str(said.get("mode") or said.get("signal") or said.get("parameter") or "fault"), taken),
            "when": {"at_s": round(cycle * DT_S, 2)}} | said
    try:
        config = FaultConfig.model_validate(full)
        given = config.model_dump(exclude={"when", "lasts"})
        fault = Fault(when=When(**config.when.model_dump()), lasts=Lasts(**config.lasts.model_dump()), **given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FaultScheduleError(f"fault: {place}: {first['msg']}{nearest(first)}") from None
    except FaultError as error:
        raise FaultScheduleError(f"fault: {error}") from None
    return waiting_for(fault, taken)


def waiting_for(fault: Fault, taken: list[str]) -> Fault:
    """The same one; FaultScheduleError if it waits for a fault that there is not."""
    other = fault.when.fault
    if other is not None and other not in taken:
        near = did_you_mean(other, taken)
        raise FaultScheduleError(f"fault: when.fault: no fault {other!r} in this run, so it can never begin{near}")
    return fault


def not_too_late(fault: Fault, order: Order) -> Fault:
    """The same one; FaultScheduleError for damage that is there when the session is loaded, as this one has been."""
    if any(isinstance(action, Alter) and action.kind in AT_LOAD for action in new_live(fault, place_of(order), 0).actions):
        raise FaultScheduleError(f"fault {fault.id!r}: {fault.mode} is there when the session is loaded, and this one has been; "
                                 "name it in a file: `linac-ctl run SESSION --faults FILE`")
    return fault


def nearest(error: Any) -> str:
    """For a word that a fault does not have."""
    return did_you_mean(str(error["loc"][-1]), FaultConfig.model_fields) if error["type"] == "extra_forbidden" else ""


def free(name: str, taken: list[str]) -> str:
    """The name itself, or with a number."""
    return next(one for n in range(1, len(taken) + 2) if (one := name if n == 1 else f"{name}-{n}") not in taken)
