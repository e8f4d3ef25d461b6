"""A controller on wires that the rig writes itself: an obedient machine without physics, in which one wire can be spoiled.

    rig = Rig()
    rig.cycle(3)                                   # phase IDLE; nothing trips
    rig.beam()                                     # a field in hand, pulses flow
    rig.spoil("room", "key_on", float("nan"))      # from now on, whatever the machine says
    rig.cycle()
    rig.tripped()                                  # ids in the order of the table
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from device_models.interface.image import ALL_TESTED, AXIS_DEVICES, DT_S, Image, new_image
from linac_ctl.config.loader import Machine, load, validate
from linac_ctl.control.cycle import inputs, outputs
from linac_ctl.control.phases import Phase
from linac_ctl.control.signals import FIRST_GUARD, NO_PORTS, Guard, Signal
from linac_ctl.control.state import LIVE, Control, new_control
from linac_ctl.interlocks.panel import Panel
from linac_ctl.interlocks.table import InterlockTable, compile_parameters, compile_table
from linac_ctl.plan.model import Beam
from linac_ctl.plan.trajectory import Field, prepare
from linac_ctl.subsystems.beam import load as load_field
from tests.support import machine, small_static

LOW_IS_FINE = (Guard.OVERRUN_STREAK, Guard.CLOCK_STEP_S, *(guard for guard, fine in NO_PORTS.items() if fine == 0.0))


@cache
def table(name: str = "linac") -> InterlockTable:
    """configs/interlocks/linac.yaml."""
    return validate(InterlockTable, load("interlocks", name))


def controller(the_machine: Machine, points: int = 64, rows: int = 4096) -> tuple[Control, Image]:
    """A controller and its wires, both as they are at power-up."""
    config = the_machine.controller
    image = new_image(config.sizes())
    width = 12 + 2 * sum(config.sizes().values())
    return new_control(config, compile_table(table()), compile_parameters(table(), config), points=points,
                       rows=np.zeros((rows, width), np.float32)), image


TREMBLE = 1e-9  # deg; an encoder that lives is never quite still


class Rig:
    """See the module's first lines."""

    def __init__(self, name: str = "bench_small") -> None:
        self.machine = machine(name)
        self.control, self.image = controller(self.machine)
        self.panel = Panel(table(), self.control)
        self.spoiled: list[Callable[[], None]] = []
        self.obedient = True
        self.on, self.latency = 0, 2  # cycles with permit; cycles until the first pulse, two at least (SI-02)
        self.owed = self.mu = 0.0  # pulses; MU since power-up
        self.answer_age = 0  # cycles by which a node's stamp is old
        for guard in Guard:
            self.guard(guard, 0.0 if guard in LOW_IS_FINE else 1.0)
        self.control.job["token_needed"] = 0.0
        self.beam_wires()
        self.obey()

    # --- the machine

    def obey(self) -> None:
        """Readings of a machine that does at once what it is asked."""
        image, job = self.image, self.control.job
        for name in AXIS_DEVICES if self.obedient else ():
            wires = getattr(image, name)
            wires["readback"] = wires["readback_2"] = wires["setpoint"]
        image.gantry["readback_2"] += self.tremble
        image.nodes["powered"] = image.nodes["enable"]
        image.nodes["calibrated"], image.nodes["named"] = 1.0, range(len(image.nodes))
        image.nodes["sampled_cycle"] = job["cycle"][0] - self.answer_age
        self.obey_safety()
        self.obey_room()

    def obey_safety(self) -> None:
        """The second channel says yes, but for while it tests itself."""
        safety, job = self.image.safety, self.control.job
        safety["permit"], safety["open"], safety["passed"], safety["testing"] = 1.0 - safety["selftest"], 0, ALL_TESTED, 0.0
        safety["preset_echo_mu"], safety["time_limit_echo_s"] = safety["preset_mu"], safety["time_limit_s"]
        safety["beam_s"], safety["mu_backup"] = job["beam_s"][0], job["mu_offset"][0] + self.image.beam["mu_1"][0]

    def obey_room(self) -> None:
        """Door closed, nothing pressed, nothing near."""
        for name in self.image.room.dtype.names:
            self.image.room[name] = 0.0 if name in ("service_mode", "bypass") else 1.0
        self.image.room["clearance_mm"] = 500.0
        self.image.room["kv_exposures"] = self.control.job["kv_asked"]

    def beam_wires(self) -> None:
        """A warm source without pulses."""
        for name in ("mu_1", "mu_2", "rate_1_mu_per_s", "pulse_mu", "pulses", "missed_pulses"):
            self.image.beam[name] = 0
        self.warm_wires()

    def warm_wires(self) -> None:
        """Everything but the counters."""
        beam, param = self.image.beam, self.control.param
        beam["accessory"] = 0
        for name in ("quadrants", "hv_on", "energy_ratio", "water_level_ok"):
            beam[name] = 1.0
        beam["chamber_hv_1_v"] = beam["chamber_hv_2_v"] = param["chamber_hv_v"]
        beam["mode_sensed"] = beam["mode"]
        for i, name in enumerate(LIVE):
            beam[name] = param["live_middle"][0][i]

    def pulse(self) -> None:
        """Whole pulses of this cycle: the nearest number to what was asked; what is left over is owed."""
        beam, job = self.image.beam, self.control.job
        beam["mode_sensed"] = beam["mode"]
        size, asked = float(job["pulse_mu"][0]), float(beam["rate_mu_per_s"][0])
        self.on = self.on + 1 if beam["permit"][0] == 1.0 else 0
        on = self.on > self.latency and asked > 0.0
        self.owed = self.owed + asked * DT_S / size if on else 0.0
        pulses = round(self.owed) if on else 0
        self.owed -= pulses
        beam["rate_1_mu_per_s"] = asked if on else 0.0
        beam["pulse_mu"] = size if pulses else 0.0
        beam["pulses"] += pulses
        self.mu += pulses * size
        beam["mu_1"] = beam["mu_2"] = self.mu

    @property
    def tremble(self) -> float:
        """What an encoder says too much, or too little, in this cycle."""
        return TREMBLE * float(1 - 2 * (self.job["cycle"][0] % 2))

    # --- the cycle

    def cycle(self, n: int = 1) -> int:
        """n scan cycles; -> Event bits of the last."""
        events = 0
        for _ in range(n):
            self.control.job["events"] = 0
            outputs(self.control, self.image)
            self.pulse()
            self.obey()
            for spoil in self.spoiled:
                spoil()
            events = int(inputs(self.control, self.image))
        return events

    def spoil(self, part: str, field: str, value: Any, at: Any = slice(None)) -> None:
        """From the next cycle on this wire says `value`, whatever the machine says."""
        self.spoiled.append(lambda: getattr(self.image, part)[field].__setitem__(at, value))

    def heal(self) -> None:
        """All wires tell the truth again."""
        self.spoiled.clear()
        self.warm_wires()

    # --- the controller

    @property
    def job(self) -> Any:
        """JOB (1,)."""
        return self.control.job

    @property
    def phase(self) -> Phase:
        """In force."""
        return Phase(int(self.job["phase"][0]))

    def enter(self, phase: Phase) -> None:
        """As the sequencer does."""
        self.job["phase"] = int(phase)

    def guard(self, guard: Guard, value: float) -> None:
        """An answer of the event side."""
        self.control.signals[FIRST_GUARD + int(guard)] = value

    def signal(self, signal: Signal) -> float:
        """Value of the last cycle."""
        return float(self.control.signals[signal])

    @property
    def permit(self) -> float:
        """On the wire."""
        return float(self.image.beam["permit"][0])

    def load(self, beam: Beam | None = None, start_mu: float = 0.0) -> Field:
        """A field in hand, axes at its start."""
        config = self.machine.controller
        field = prepare(beam or small_static(self.machine, mu=300.0), config, start_mu)
        load_field(self.control, field, config.beam)
        self.job["preset_mu"], self.job["time_limit_s"] = field.mu[-1], 60.0
        self.image.beam["mode"] = list(config.beam.modes).index(field.beam.mode)
        for name, place in field.start.items():
            wires, aims = getattr(self.image, name), getattr(self.control, name)
            wires["setpoint"] = wires["readback"] = wires["readback_2"] = aims["goal"] = place
            aims["asked"] = aims["seen"] = aims["seen_2"] = place
        self.job["gantry_before_deg"] = self.image.gantry["setpoint"][0]
        return field

    def ready(self, beam: Beam | None = None) -> Field:
        """Armed."""
        field = self.load(beam)
        self.enter(Phase.READY)
        self.cycle()
        return field

    def beam(self, beam: Beam | None = None, cycles: int = 40) -> Field:
        """Beam on, for so many cycles."""
        field = self.ready(beam)
        self.enter(Phase.BEAM)
        self.cycle(cycles)
        return field

    def tripped(self) -> list[str]:
        """Ids in force, in the order of the table."""
        return [row.id for i, row in enumerate(table().rows) if self.control.interlocks["tripped"][i]]
