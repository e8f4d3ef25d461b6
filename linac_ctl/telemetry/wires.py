"""Which wires and states of the controller go out, subsystem by subsystem: the one list that snapshot, topics and docs follow."""

from enum import Enum
from typing import Any

from device_models.interface.image import AXIS_DEVICES, Node

from ..control.phases import Hold, Phase
from ..control.signals import Signal
from ..control.state import LIVE, axis_names
from ..subsystems.beam_states import BeamState
from ..subsystems.motion import State
from .layout import Field

LIVE_UNITS = {"gun_hv_kv": "kV", "gun_current_a": "A", "pfn_kv": "kV", "afc_error_v": "V", "rf_driver_v": "V", "vacuum_ua": "uA",
              "gas_psi": "psi", "water_c": "degC"}
SWITCHES = ("door_closed", "last_person_out", "estop_ok", "motion_enable", "touchguard_ok", "key_on", "mains_ok", "room_monitor_ok",
            "service_mode", "bypass")
PHASES = tuple((phase.name or "").lower() for phase in Phase)
HOLDS = tuple(hold.name.lower() for hold in Hold)
Source = tuple[Field, Any]  # a field, and the array or the object with a `state` that it is read from


def sources(sim: Any) -> list[Source]:
    """Every field that this machine has, and where it is read."""
    found: list[Source] = []
    for name in AXIS_DEVICES:
        if len(getattr(sim.image, name)):
            found += axis_device(sim, name)
    return found + beam(sim) + safety(sim) + room(sim)


def axis_device(sim: Any, name: str) -> list[Source]:
    """Setpoints and readbacks; state of the subsystem and of its node."""
    wires, n = getattr(sim.image, name), len(getattr(sim.image, name))
    moves = getattr(sim.linac, name)
    return [
        (Field(name, "telemetry", "setpoint", "axis", n, what="where the controller wants it this cycle"), wires["setpoint"]),
        (Field(name, "telemetry", "readback", "axis", n, what="primary encoder"), wires["readback"]),
        (Field(name, "state", "state", values=names(State)), moves),
        *node(sim, name),
    ]


def node(sim: Any, name: str) -> list[Source]:
    """What a device says of itself."""
    row = int(Node[name.upper()])
    wires = sim.image.nodes[row : row + 1]
    return [
        (Field(name, "state", "enabled", "switch", what="drive power is wanted"), wires["enable"]),
        (Field(name, "state", "powered", "switch", what="drives have power and are free of faults"), wires["powered"]),
        (Field(name, "state", "calibrated", "switch"), wires["calibrated"]),
    ]


def beam(sim: Any) -> list[Source]:
    """Dose of the field in hand, and the source."""
    wires, job = sim.image.beam, sim.control.job
    modes = tuple(sim.linac.config.beam.modes)
    dose = [
        (Field("beam", "telemetry", "mu_1", "MU", what="of the field in hand, chamber 1"), signal(sim, Signal.MU_1)),
        (Field("beam", "telemetry", "mu_2", "MU", what="chamber 2"), signal(sim, Signal.MU_2)),
        (Field("beam", "telemetry", "expected_mu", "MU", what="commanded dose; the axes follow it"), job["expected_mu"]),
        (Field("beam", "telemetry", "rate_asked_mu_per_s", "MU/s"), wires["rate_mu_per_s"]),
        (Field("beam", "telemetry", "rate_mu_per_s", "MU/s", what="chamber 1, mean over 0.1 s"), wires["rate_1_mu_per_s"]),
        (Field("beam", "telemetry", "segment", "count", what="of the trajectory"), job["segment"]),
        (Field("beam", "telemetry", "beam_s", "s", what="beam-on time of this field"), job["beam_s"]),
    ]
    live = [(Field("beam", "telemetry", name, LIVE_UNITS[name]), wires[name]) for name in LIVE]
    return dose + live + [
        (Field("beam", "state", "state", values=names(BeamState)), sim.linac.beam),
        (Field("beam", "state", "beam_number", "count", what="of the plan; -1 = no field in hand"), job["beam_number"]),
        (Field("beam", "state", "mu_end", "MU", what="end of the field in hand"), job["mu_end"]),
        (Field("beam", "state", "mode", values=modes), wires["mode"]),
        (Field("beam", "state", "permit", "switch", what="the controller's yes to beam"), wires["permit"]),
        (Field("beam", "state", "hold", values=HOLDS), job["hold"]),
        (Field("beam", "state", "hv_on", "switch", what="gun and RF warm"), wires["hv_on"]),
        (Field("beam", "state", "accessory", "count"), wires["accessory"]),
    ]


def safety(sim: Any) -> list[Source]:
    """The second channel."""
    wires = sim.image.safety
    return [
        (Field("safety", "telemetry", "mu_backup", "MU", what="by the channel's own chamber"), wires["mu_backup"]),
        (Field("safety", "telemetry", "beam_s", "s", what="by its own timer"), wires["beam_s"]),
        (Field("safety", "state", "permit", "switch", what="its own yes"), wires["permit"]),
        (Field("safety", "state", "open", "count", what="bits: 1 dose 2 timer 4 heartbeat 8 door 16 emergency stop 32 limits"),
         wires["open"]),
        (Field("safety", "state", "preset_echo_mu", "MU"), wires["preset_echo_mu"]),
        (Field("safety", "state", "time_limit_echo_s", "s"), wires["time_limit_echo_s"]),
        (Field("safety", "state", "testing", "switch"), wires["testing"]),
    ]


def room(sim: Any) -> list[Source]:
    """Doors, buttons, guards; clearance and breath."""
    wires = sim.image.room
    return [
        (Field("room", "telemetry", "clearance_mm", "mm", what="smallest of machine, couch, patient"), wires["clearance_mm"]),
        (Field("room", "telemetry", "breath_mm", "mm", what="chest above its exhale"), wires["breath_mm"]),
        *((Field("room", "state", name, "switch"), wires[name]) for name in SWITCHES),
    ]


def signal(sim: Any, which: Signal) -> Any:
    """One number of the signal vector, as an array that stays current."""
    return sim.control.signals[int(which) : int(which) + 1]


def names(states: type[Enum]) -> tuple[str, ...]:
    """Of an enumeration, in its order."""
    return tuple(str(state.value) for state in states)


def axes_of(sim: Any) -> dict[str, tuple[tuple[str, str], ...]]:
    """subsystem -> (name, unit) of each of its axes."""
    every, at, found = axis_names(sim.order.machine.controller), 0, {}
    for name in AXIS_DEVICES:
        n = len(getattr(sim.image, name))
        if n:
            found[name] = tuple(every[at : at + n])
        at += n
    return found
