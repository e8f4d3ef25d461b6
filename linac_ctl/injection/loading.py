"""Faults of data: what is read is altered before the session is built on it."""

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from device_models.faults.action import Alter
from device_models.faults.errors import FaultError
from device_models.faults.fault import Fault, When
from device_models.faults.modes import find
from device_models.faults.modes.mode import Place

from ..errors import FaultScheduleError
from ..plan.model import Beam, Plan
from .alterations import ALTERATIONS, AT_LOAD
from .live import Live
from .plan import actions_of
from .reachable import require_reachable
from .schedule import Schedule

if TYPE_CHECKING:
    from ..order import Order


def place_of(order: "Order") -> Place:
    """What modes may ask about the session."""
    machine = order.machine.controller
    links = tuple(name for name, url in order.links.items() if url.scheme != "sim")
    return Place(machine.sizes()["mlc"], order.seed, links, order.imaging is not None, machine.sizes()["kv_arms"])


def new_live(fault: Fault, place: Place, cycle: int) -> Live:
    """Armed; FaultScheduleError for what this session cannot have."""
    try:
        bites(fault, place)
        return Live(fault, actions_of(fault, place), cycle)
    except FaultError as error:
        raise FaultScheduleError(f"fault {fault.id!r}: {error}") from None


def meant(fault: Fault, order: "Order") -> None:
    """FaultScheduleError for a moment that cannot come."""
    try:
        require_reachable(fault.when, order)
    except FaultError as error:
        raise FaultScheduleError(f"fault {fault.id!r}: {error}") from None


def phase_of(when: When) -> str | None:
    """The phase in which this moment is; None where it may be any."""
    given = (when.mu, when.mu_percent, when.control_point)
    return "beam_on" if any(value is not None for value in given) else when.phase


def bites(fault: Fault, place: Place) -> None:
    """FaultError for a mode that this session, or this phase of it, cannot have."""
    if fault.mode is None:
        return
    mode, phase = find(fault.mode), phase_of(fault.when)
    if mode.phases and phase is not None and phase not in mode.phases:
        raise FaultError(f"{mode.id}: does not bite in phase {phase}; it does in {', '.join(mode.phases)}")
    if "imaging" in mode.needs and not place.imaging:
        raise FaultError(f"{mode.id}: this session takes no images; take one with a patient, like spine_igrt_quick")
    if "kv_arms" in mode.needs and not place.kv_arms:
        raise FaultError(f"{mode.id}: this machine has no kV arms; take one that has, like c_arm_m120_ready")


def altered_at_load(order: "Order", schedule: Schedule) -> tuple["Order", frozenset[str]]:
    """-> (the order as it is read with these faults, ids of those that changed what would be delivered, or for whom).

    A LinacError from here is how the session ends: the damage was noticed.
    """
    place, changed = place_of(order), set()
    for fault in schedule.faults:
        for action in new_live(fault, place, 0).actions:
            if isinstance(action, Alter) and action.kind in AT_LOAD:
                before, order = order, AT_LOAD[action.kind](order, action.settings)
                changed |= {fault.id} if not same_plan(before.plan, order.plan) else set()
    return order, frozenset(changed)


def same_plan(a: Plan, b: Plan) -> bool:
    """Whatever its file looks like: the same treatment for the same patient."""
    whose = [(p.patient_id, p.frame_of_reference_uid, p.patient_position, p.sop_instance_uid, p.label) for p in (a, b)]
    return whose[0] == whose[1] and _shapes(a) == _shapes(b)


def _shapes(plan: Plan) -> list[list[object]]:
    """Every beam of every fraction, as it would be delivered."""
    return [[number, *(_value(getattr(beam, f.name)) for f in fields(Beam))]
            for number in [group.number for group in plan.groups] for beam in plan.fraction(number)]


def _value(value: object) -> object:
    return (value + 0.0).tobytes() if isinstance(value, np.ndarray) else repr(value)  # -0.0 is 0.0


def only_at_load(live: Live) -> bool:
    """Nothing of it happens later."""
    return all(isinstance(action, Alter) and action.kind in AT_LOAD and action.kind not in ALTERATIONS for action in live.actions)
