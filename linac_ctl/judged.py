"""What the referee is told of a run: plan, staff, images and table in its own neutral words. Composition, like app.py.

Plan values go from the plan file to the referee without passing anything that the cycle works with.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from device_models.referee.columns import LATCH_WORDS
from device_models.referee.judging.facts import (
    ApprovalFact,
    BeamFact,
    Cause,
    Facts,
    ImageFact,
    InjectedFact,
    ResetFact,
    RowFact,
    ShiftFact,
)
from device_models.referee.judging.referee import judge
from device_models.referee.judging.verdict import Verdict, Verdicts

from .control.phases import Phase, Reaction
from .errors import ConfigError
from .interlocks.table import InterlockTable, reaction_bits
from .order import Order
from .plan.model import JAWS, Beam
from .plan.trajectory import prepare

INHIBITS = int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF | Reaction.PREVENT_START)
STOPS = ("open_door", "press_estop", "touch_guard", "press_stop", "release_bar", "key_off", "service_mode_on", "fit_bypass")
ENDS = ("stopped", "session ended", "imaging field over")  # what the sequencer logs when it takes a beam away
CYCLES_PER_S = 100


IN_LINE = {
    1: "SI-01 violated: pulses for {by:.0f} ms while an interlock holds, limit 20 ms",
    2: "SI-02 violated: pulses for {by:.0f} ms without all permits, limit 40 ms",
    5: "SI-05 violated: {by:.2f} MU above the prescription",
    12: "SI-12 violated: pulses {by:.0f} ms after the controller's last sign of life, limit 60 ms",
    29: "SI-29 violated: pulses {by:.0f} ms after a trip, limit 25 ms",
}


def in_line(state: Any) -> str:
    """What the witness has stopped a run for."""
    what = IN_LINE[int(state["violated"])].format(by=float(state["violated_by"]))
    return f"referee: {what}, at {int(state['violated_cycle']) / CYCLES_PER_S:.2f} s; replay the run and look at that cycle"


@dataclass(frozen=True, slots=True)
class Seen:
    """What only this run knows, beside its trace; all else follows from its order."""

    given: tuple[tuple[float, float | None], ...]  # beam by beam: MU on record from earlier runs, and from this one
    injected: tuple[InjectedFact, ...]
    provoked: tuple[str, ...]
    causes: tuple[Cause, ...]
    resets: tuple[ResetFact, ...]
    imaging: dict[str, Any] | None  # None = no images are taken
    outside: tuple[str, ...]
    ended: str
    ended_cycle: int
    in_line: dict[str, float]  # what has stopped it, as the witness wrote it down


def verdicts(sim: Any) -> Verdicts:
    """Of a run so far; complete once it has finished."""
    return judged(sim.order, seen(sim), sim.trace.rows(), sim.trace.leaves())


def judged(order: Order, seen: Seen, rows: Any, leaves: Any) -> Verdicts:
    """As `verdicts`, of a run that may be elsewhere."""
    found = judge(rows, leaves, facts_of(order, seen))
    return found if not seen.in_line["violated"] else Verdicts(tuple(stopped(verdict, seen.in_line) for verdict in found))


def stopped(verdict: Verdict, state: Any) -> Verdict:
    """What has stopped a run is violated, also where more is allowed once it is known how many faults there were."""
    if verdict.id != f"SI-{int(state['violated']):02d}" or verdict.outcome == "violated":
        return verdict
    return replace(verdict, outcome="violated", text=in_line(state), margin=min(verdict.margin or 0.0, 0.0),
                   cycle=int(state["violated_cycle"]))


def facts(sim: Any) -> Facts:
    """Everything but the trace."""
    return facts_of(sim.order, seen(sim))


def facts_of(order: Order, seen: Seen) -> Facts:
    """The plan, the staff's and the machine's files, and what was seen."""
    machine, kv = order.machine.controller, order.machine.controller.kv_imager
    rows, v_max = standing(order)
    beams = zip(order.plan.fraction(order.group), seen.given)
    return Facts(
        beams=tuple(beam_fact(order, beam, *given) for beam, given in beams), rows=rows,
        rates_mu_per_s=tuple(mode.max_dose_rate_mu_per_min / 60.0 for mode in machine.beam.modes.values()),
        v_max=v_max, kv_place_mm=None if kv is None else kv.imaging_mm[:2],
        injected=seen.injected, provoked=seen.provoked, causes=seen.causes, resets=seen.resets,
        patient=order.plan.patient_id, plan=order.plan.sop_instance_uid, needs_position=seen.imaging is not None,
        **(seen.imaging or {}), outside=seen.outside, ended=seen.ended, ended_cycle=seen.ended_cycle,
        longest_state_s=order.longest_s, beam_phase=int(Phase.BEAM), armed_phase=int(Phase.READY), moving_phase=int(Phase.MOVE),
        idle_phases=(int(Phase.IDLE), int(Phase.STOPPED)))


def seen(sim: Any) -> Seen:
    """Of a run so far."""
    beams, journal, desk = sim.order.plan.fraction(sim.order.group), sim.control.journal, sim.suite.imaging
    state = sim.engine.trace.state[0]
    return Seen(
        given=tuple((sim.record.earlier_mu(beam.number), float(entry["mu_1"]) if entry["started"] else None)
                    for beam, entry in zip(beams, journal)),
        injected=injected(sim), provoked=provoked(sim), causes=causes(sim),
        resets=tuple(ResetFact(reset["id"], reset["cycle"]) for reset in sim.linac.panel.resets),
        imaging=None if desk is None else imaging_facts(sim, desk), outside=sim.hardware.outside if sim.hardware else (),
        ended=ended(sim), ended_cycle=sim.engine.cycle,
        in_line={name: float(state[name]) for name in ("violated", "violated_cycle", "violated_by")})


@lru_cache(maxsize=4)
def standing(order: Order) -> tuple[tuple[RowFact, ...], dict[str, tuple[float, ...]]]:
    """What is the same for every run of an order: a campaign judges thousands of them."""
    return row_facts(order.table), top_speeds(order.machine.plant)


def foresee(order: Order) -> None:
    """What is the same for every run of an order is worked out now: copies of this process then find it there."""
    standing(order)
    for beam in order.plan.fraction(order.group):
        beam_fact(order, beam, 0.0, None)


def beam_fact(order: Order, beam: Beam, start_mu: float, recorded_mu: float | None) -> BeamFact:
    """One beam, as the plan file has it, and what is on record of it."""
    return replace(planned(beam, order), planned_s=planned_s(beam, order, start_mu), start_mu=start_mu, recorded_mu=recorded_mu)


@lru_cache(maxsize=64)
def planned(beam: Beam, order: Order) -> BeamFact:
    """The same for every run, in the machine's order of jaws."""
    machine = order.machine.controller
    jaws = [JAWS.index(axis.name) for axis in machine.jaws]
    couch: Any = tuple(map(float, beam.couch[0]))
    return BeamFact(beam.number, beam.mu, list(machine.beam.modes).index(beam.mode), 0.0, beam.cumulative_mu, beam.gantry_deg,
                    beam.collimator_deg, beam.jaw_mm[:, jaws], beam.leaf_mm, couch)


@lru_cache(maxsize=64)
def planned_s(beam: Beam, order: Order, start_mu: float) -> float:
    """Beam-on time of what this run has to give; 0 when nothing is left."""
    return prepare(beam, order.machine.controller, start_mu).beam_on_s if beam.mu - start_mu > 1e-6 else 0.0


def row_facts(table: InterlockTable) -> tuple[RowFact, ...]:
    """The interlock table as its file declares it."""
    found = []
    for row in table.rows:
        bits, usual = reaction_bits(table.reactions(row)), table.classes[row.kind]
        longest_s = usual.longest_s if row.longest_s is None else row.longest_s
        found.append(RowFact(
            row.id, row.kind, table.latched(row), bool(bits & INHIBITS), bool(bits & int(Reaction.MOTION_STOP)),
            row.clear_cycles or usual.clear_cycles, usual.most_holds if row.most_holds is None else row.most_holds,
            round(longest_s * CYCLES_PER_S)))
    return tuple(found)


def inhibiting(order: Order) -> list[int]:
    """Bits of the rows that forbid beam, 64 to a word; ConfigError for a table that the trace has no room for."""
    rows, _ = standing(order)
    if len(rows) > 64 * LATCH_WORDS:
        raise ConfigError(f"interlocks {order.table.name}: {len(rows)} rows > {64 * LATCH_WORDS} that the referee keeps an eye on")
    words = np.zeros(64 * LATCH_WORDS, bool)
    words[: len(rows)] = [row.inhibits for row in rows]
    found: list[int] = np.packbits(words, bitorder="little").view(np.int64).tolist()
    return found


def top_speeds(plant: Any) -> dict[str, tuple[float, ...]]:
    """Of every drive of the machine."""
    devices = ("gantry", "collimator", "jaws", "carriages", "couch", "kv_arms", "mv_arm")
    speeds = {name: tuple(axis.v_max for axis in getattr(plant, name)) for name in devices}
    return speeds | ({} if plant.leaf is None else {"mlc": (plant.leaf.v_max,)})


def injected(sim: Any) -> tuple[InjectedFact, ...]:
    """The faults of the run with the cycles in which they took effect; none without a schedule."""
    injector = getattr(sim, "injector", None)
    if injector is None:
        return ()
    return tuple(InjectedFact(one.id, str(getattr(one, "what", "")), one.effective_cycle, one.cleared_cycle)
                 for one in injector.evidence())


def provoked(sim: Any) -> tuple[str, ...]:
    """What people, an earlier run or a busy computer did that has to stop a machine."""
    acts = tuple(act.do for act in sim.order.script if act.do in STOPS)
    others = {"abort": sim.engine.abort_wanted, "left": sim.left, "late cycles": sim.loop.pace.overruns > 0,
              "latched before": bool(sim.latches)}
    return (*acts, *(what for what, so in others.items() if so))


def causes(sim: Any) -> tuple[Cause, ...]:
    """Everything on record that explains why a beam stopped."""
    trips = [Cause(trip.cycle, trip.id, trip.text) for trip in sim.linac.panel.history]
    holds = [Cause(round(hold["start_s"] * CYCLES_PER_S), "hold", hold["why"]) for hold in sim.linac.holds]
    ended = [event for event in sim.events if any(end in event.what for end in ENDS)]
    ends = [Cause(event.cycle, event.what, event.why or event.what) for event in ended]
    return tuple(sorted([*trips, *holds, *ends], key=lambda cause: cause.cycle))


def imaging_facts(sim: Any, desk: Any) -> dict[str, Any]:
    """What was imaged, approved and shifted."""
    return {
        "kv_with_beam": desk.protocol.intrafraction.triggered is not None,
        "images": tuple(ImageFact(images.cycle, images.uids) for images in desk.images),
        "approvals": tuple(approval_fact(desk, given) for given in desk.approvals),
        "shifts": tuple(shift_facts(sim, desk)),
    }


def approval_fact(desk: Any, given: Any) -> ApprovalFact:
    """One approval and what it is bound to."""
    binding = given.match.binding
    return ApprovalFact(given.cycle, given.image_cycle, binding.image_uids, given.couch.six, given.people, binding.patient_id,
                        binding.plan_uid, desk.planning.patient_id)


def shift_facts(sim: Any, desk: Any) -> list[ShiftFact]:
    """Each shift with the approval that ordered it: the last one before it."""
    found = []
    for shift in desk.shifts:
        last = round(shift.t_s * CYCLES_PER_S)
        given = max((one for one in desk.approvals if one.cycle <= last), key=lambda one: one.cycle)
        found.append(ShiftFact(given.cycle, last, shift.ordered, shift.change, len({*given.people})))
    return found


def ended(sim: Any) -> str:
    """completed, abandoned or stuck."""
    return "stuck" if sim.stuck else "completed" if sim.error is None else "abandoned"
