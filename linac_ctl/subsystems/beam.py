"""The beam as the sequencer sees it. The permit itself is taken away in the scan cycle, never here."""

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
from transitions import Machine

from device_models.interface.image import ALL_TESTED, DT_S, Image, SafetyOpen

from ..config.machine import BeamLimits
from ..control.measure_self import COARSE, FINE, HALF_PULSE
from ..control.phases import Hold, Phase, Reaction
from ..control.signals import FIRST_GUARD, Guard, Signal
from ..control.state import Control, Trajectory
from ..errors import DeviceError, RefusedError
from ..plan.trajectory import Field
from .beam_states import BEAM_TABLE, BeamState
from .conditions import Conditions

SELFTEST_TIMEOUT_S, OPENS_S = 30.0, 1.0
TWO_CYCLES_S = 2 * DT_S
LONGER, ANYWAY_S = 1.1, 0.95  # beam-on time that a field may have (SI-09: 10 % and 1 s, less the cycles that a stop takes)
RESELECTED = (BeamState.WARM, BeamState.ARMED, BeamState.TERMINATED)  # left by choosing again: ARMED when the start was refused


@dataclass(frozen=True, slots=True)
class Delivered:
    """MU of one field by chamber 1 and 2, earlier partial deliveries included, and the controller's beam-on time."""

    mu_1: float
    mu_2: float
    beam_on_s: float


class Beam:
    """Verbs: warm, arm, deliver, stand_down. One field at a time."""

    state: BeamState

    def __init__(self, control: Control, image: Image, limits: BeamLimits, conditions: Conditions) -> None:
        self.control, self.image, self.limits, self.conditions = control, image, limits, conditions
        self.field: Field | None = None
        Machine(self, states=BeamState, initial=BeamState.OFF, transitions=BEAM_TABLE, auto_transitions=False)

    def trigger(self, name: str) -> None:
        """MachineError unless the table has this transition."""
        getattr(self, name)()

    async def warm(self, mode: str) -> None:
        """Select target, filter and energy; gun and RF warm. Returns when sensed, not when asked."""
        if self.state is BeamState.WARM and self.image.beam["mode"][0] == list(self.limits.modes).index(mode):
            return
        if self.state in RESELECTED:
            self.trigger("reselect")
        self.trigger("warm_up")
        self.control.job["selecting"] = 1
        self.image.beam["mode"] = list(self.limits.modes).index(mode)
        self.image.beam["hv_request"] = 1.0
        wait = self.limits.warm_up_timeout_s
        try:
            await self.conditions.until(Signal.MODE_WRONG, "<=", 0.0, 0.1, wait)
            await self.conditions.until(Signal.HV_ON, ">=", 1.0, 0.1, wait)
        except TimeoutError:
            self._interrupt()
            raise DeviceError(f"beam: {mode} not sensed and warm within {wait:g} s; look at carousel, target and "
                              f"modulator, then reset") from None
        except BaseException:  # tripped or cancelled
            self._interrupt()
            raise
        self.trigger("be_warm")

    async def arm(self, field: Field, *, slot: int, time_limit_s: float, prescription: int, session: int,
                  resumed: bool = False) -> None:
        """Load the field on both channels and let the second one test itself; nothing may differ from here on."""
        self.field = field
        job = self.control.job
        load(self.control, field, self.limits)
        job["preset_mu"], job["time_limit_s"], job["beam_s"] = round(float(field.mu[-1]), 3), round(time_limit_s, 3), 0.0
        if not resumed:
            job["flowing_s"], job["longest_s"] = 0.0, LONGER * field.beam_on_s + ANYWAY_S
        job["prescription"] = job["armed_prescription"] = prescription
        job["session"] = job["armed_session"] = session
        await self._arm_channel(field.start_mu, resumed)
        open_journal(self.control, field, slot)
        await self._selftest()
        self.trigger("be_armed")
        job["phase"] = int(Phase.READY)

    async def _arm_channel(self, start_mu: float, resumed: bool) -> None:
        """The channel takes over its limits. A new field starts with counters at zero; a resumed one keeps them.

        `start_mu` of an earlier run is that of the channel that counted more, so what is left is never too much (the FDA
        180603 lesson).
        """
        safety, beam, job = self.image.safety, self.image.beam, self.control.job
        safety["start_mu"] = round(start_mu, 3)  # as far as a wire carries
        safety["reset"] = safety["arm"] = 1.0
        beam["clear_dose"] = 0.0 if resumed else 1.0
        await asyncio.sleep(TWO_CYCLES_S)
        beam["clear_dose"] = safety["arm"] = safety["reset"] = 0.0
        job["mu_offset"] = start_mu - (float(beam["mu_1"][0]) if resumed else 0.0)
        await asyncio.sleep(TWO_CYCLES_S)

    async def _selftest(self) -> None:
        """Every check of the second channel must be seen to act before there is beam."""
        safety = self.image.safety
        safety["selftest"] = 1.0
        try:
            await asyncio.sleep(TWO_CYCLES_S)
            await self._opens()
            await self.conditions.until(Signal.SELFTEST_MISSING, "<=", 0.0, 0.0, SELFTEST_TIMEOUT_S)
        except TimeoutError:
            missing = ALL_TESTED & ~int(safety["passed"][0])
            names = ", ".join(check.name.lower() for check in SafetyOpen if missing & check)
            raise DeviceError(f"safety channel: self-test did not pass ({names}) within {SELFTEST_TIMEOUT_S:g} s; look at what is "
                              f"open there, and if nothing is, no beam until an engineer has looked") from None
        finally:
            safety["selftest"] = 0.0
        await self.conditions.until(Signal.CHANNEL_PERMIT, ">=", 1.0, TWO_CYCLES_S, SELFTEST_TIMEOUT_S)

    async def _opens(self) -> None:
        """The relay itself must let go while the comparators are tested: DeviceError if it does not."""
        try:
            await self.conditions.until(Signal.CHANNEL_PERMIT, "<=", 0.0, 0.0, OPENS_S)
        except TimeoutError:
            raise DeviceError("safety channel: its permit stays while it tests itself, a relay that does not open; no beam until "
                              "an engineer has looked") from None

    async def deliver(self, longest_s: float) -> Delivered:
        """Beam on until all MU are in. Absolute MU, so a retry cannot deliver twice; tripped: DeviceError."""
        job = self.control.job
        if int(job["reactions"][0]) & int(Reaction.PREVENT_START | Reaction.BEAM_OFF):
            raise RefusedError("beam: an interlock prevents the start; clear it first")
        if self.state is not BeamState.ARMED:
            raise RefusedError(f"beam: {self.state.value}, not armed; one arming is good for one start")
        self.trigger("start")
        self._guard(Guard.START, 1.0)
        self._guard(Guard.TASK_ALIVE, 1.0)
        job["phase"] = int(Phase.BEAM)
        try:
            await self.conditions.until(Signal.MU_LEFT, "<=", float(job["half_pulse_mu"][0]), 0.0, longest_s)
        except TimeoutError:
            await self._overstay()
            raise DeviceError(f"beam: {self.mu_1:.2f} of {job['mu_end'][0]:.2f} MU after {longest_s:g} s of machine time; "
                              f"something holds it") from None
        except BaseException:  # tripped or cancelled, perhaps with all MU in: it is not on for anybody any more
            self._interrupt()
            raise
        finally:
            self._guard(Guard.START, 0.0)
            self._leave_beam()
        self.trigger("complete")
        self._journal("complete", 1)
        return self.delivered()

    async def _overstay(self) -> None:
        """A field that is not over in its time is lost: TRANSITION_TIMEOUT takes the beam while it is still somebody's."""
        self._guard(Guard.TRANSITION, 0.0)
        try:
            await asyncio.sleep(TWO_CYCLES_S)
        finally:
            self._guard(Guard.TRANSITION, 1.0)
            self._interrupt()

    def delivered(self) -> Delivered:
        """MU so far."""
        signals = self.control.signals
        return Delivered(float(signals[Signal.MU_1]), float(signals[Signal.MU_2]), float(self.control.job["beam_s"][0]))

    @property
    def mu_1(self) -> float:
        """MU of the field in hand by chamber 1."""
        return float(self.control.signals[Signal.MU_1])

    def _leave_beam(self) -> None:
        """However a delivery ends, nobody owns the beam any more: the next cycle must not have one."""
        job = self.control.job
        if int(job["phase"][0]) == int(Phase.BEAM):
            job["phase"], job["permit"], job["hold"] = int(Phase.STOPPED), 0, int(Hold.HOLD)
            self.image.beam["permit"] = 0.0
            self._interrupt()

    def _interrupt(self) -> None:
        """Unless a trip has done so already: what was under way is off."""
        if self.state in (BeamState.WARMING, BeamState.ON, BeamState.HELD):
            self.trigger("interrupt")

    def follow(self, reactions: int, held: bool) -> None:
        """Hear what the cycle has done already."""
        if reactions & int(Reaction.TERMINATE) and self.state not in (BeamState.OFF, BeamState.TERMINATED):
            self.trigger("terminate")
        elif reactions & int(Reaction.BEAM_OFF) and self.state not in (BeamState.OFF, BeamState.TERMINATED, BeamState.INTERRUPTED):
            self.trigger("interrupt")
        elif held and self.state is BeamState.ON:
            self.trigger("hold")
        elif not held and self.state is BeamState.HELD:
            self.trigger("release")

    def stand_down(self) -> None:
        """Gun and RF off; the field is over."""
        self.image.beam["hv_request"] = 0.0
        self.control.job["slot"] = self.control.job["beam_number"] = -1
        if self.state in (*RESELECTED, BeamState.INTERRUPTED):
            self.trigger("reselect")

    def _guard(self, guard: Guard, value: float) -> None:
        self.control.signals[FIRST_GUARD + int(guard)] = value

    def _journal(self, name: str, value: int) -> None:
        slot = int(self.control.job["slot"][0])
        if slot >= 0:
            self.control.journal[name][slot] = value


def load(control: Control, field: Field, limits: BeamLimits) -> None:
    """Copy a field into the cycle's tables and set the job at its beginning."""
    fill(control.trajectory, field)
    job, mode = control.job, limits.modes[field.beam.mode]
    values = {
        "beam_number": field.beam.number, "slot": -1, "points": field.points, "segment": field.segment,
        "expected_mu": field.start_mu, "mu_end": field.mu[-1], "half_pulse_mu": HALF_PULSE * mode.mu_per_pulse,
        "pulse_mu": mode.mu_per_pulse, "max_rate_mu_per_s": mode.max_dose_rate_mu_per_min / 60.0,
        "start_rate_mu_per_s": field.start_rate_mu_per_s, "moving": 0, "arrived_cycles": 0, "flowing": 0,
        "permit_lead": round(limits.beam_on_latency_s / DT_S), "run_up_left": 0, "run_up_cycles": 0,
    }
    if run_up := field.run_up:
        values |= {"run_up_left": max(run_up.cycles, values["permit_lead"] + 2), "run_up_cycles": run_up.cycles,
                   "run_up_to_deg": run_up.to_deg, "run_up_deg_per_s": run_up.deg_per_s, "run_up_accel": run_up.accel}
    for name, value in values.items():
        job[name] = value


def open_journal(control: Control, field: Field, slot: int) -> None:
    """From here on the cycle writes the MU of this field where a killed process cannot lose them."""
    journal = control.journal
    journal["beam"][slot], journal["started"][slot] = field.beam.number, 1
    for name in ("mu", "mu_1", "mu_2", "mu_backup"):
        journal[name][slot] = max(field.start_mu, float(journal[name][slot]))
    control.job["slot"] = slot


def fill(trajectory: Trajectory, field: Field) -> None:
    """The first `points` entries of every table; RefusedError if the tables are too short."""
    n = field.points
    if n > len(trajectory.mu):
        raise RefusedError(f"beam {field.beam.number}: {n} control points > {len(trajectory.mu)} that fit the tables")
    flat: list[tuple[Any, Any]] = [
        (trajectory.mu, field.mu), (trajectory.point, field.point), (trajectory.rate, field.rate),
        (trajectory.node_rate2, field.node_rate2),
        (trajectory.accel, field.accel), (trajectory.stop_mu, field.stop_mu), (trajectory.move, field.move),
    ]
    for mine, theirs in flat + [(getattr(trajectory, name), table) for name, table in field.axes.items()]:
        mine[:n] = np.asarray(theirs)
    trajectory.check[:n] = sums(field)


def sums(field: Field) -> Any:
    """(n,) as `control.measure_self.sum_of_point` does, from the field: the second copy that its tables are compared with."""
    total = np.rint(field.mu * FINE) + 2.0 * np.rint(field.stop_mu * FINE) + 3.0 * field.move
    for name, weight in (("gantry", 3.0), ("collimator", 4.0), ("jaws", 5.0), ("carriages", 9.0), ("mlc", 11.0)):
        table = np.rint(np.asarray(field.axes[name]) * COARSE)
        total = total + table @ (weight + 1.0 + np.arange(table.shape[1]))
    return total
