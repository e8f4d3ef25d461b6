"""Pass or fail, with the limit beside the number: what the top of the report says."""

from dataclasses import dataclass
from typing import Any

from linac_ctl.config.machine import MachineConfig

from .deviations import beam_on_s, deviations, holds, interruptions
from .result import BeamResult, Result
from .run_record import RunRecord

WATCHED = {  # signal -> (device, unit of the axes it covers)
    "GANTRY_OFF_DEG": ("gantry", "deg"),
    "COLLIMATOR_OFF_DEG": ("collimator", "deg"),
    "JAW_OFF_MM": ("jaws", "mm"),
    "LEAF_OFF_MM": ("mlc", "mm"),
    "CARRIAGE_OFF_MM": ("carriages", "mm"),
    "COUCH_OFF_MM": ("couch", "mm"),
    "COUCH_OFF_DEG": ("couch", "deg"),
    "KV_ARM_OFF_MM": ("kv_arms", "mm"),
    "MV_ARM_OFF_MM": ("mv_arm", "mm"),
}
MU_LIMIT = 0.1  # MU between what was prescribed and what was given


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict."""

    name: str
    value: str
    limit: str
    passed: bool


def axis_limits(machine: MachineConfig, interlocks: Any) -> dict[str, float]:
    """Axis name -> deviation at which an interlock acts while the beam is on, mm or deg; 'mlc' is every leaf.

    `interlocks` is the table as it was recorded. An axis that no row watches is left out.
    """
    found: dict[str, float] = {}
    for row in interlocks:
        if "beam" in row.get("phases", ["beam"]) and row["signal"] in WATCHED and row["fine"].startswith("<="):
            limit = float(row["fine"].split()[1])
            for name in _names(machine, row["signal"]):
                found[name] = min(limit, found.get(name, limit))
    return found


def _names(machine: MachineConfig, signal: str) -> list[str]:
    """Axes behind a deviation signal."""
    device, unit = WATCHED[signal]
    if device == "mlc":
        return ["mlc"] if machine.mlc else []
    return [axis.name for axis in getattr(machine, device) if axis.unit == unit]


def checks(result: Result, limits: dict[str, float]) -> tuple[Check, ...]:
    """Outcome, dose of every beam, worst deviation of every kind of axis, the referee, late cycles."""
    found = [Check("outcome", result.outcome, "delivered", result.outcome == "delivered")]
    for beam in result.beams:
        found.append(_dose(beam))
        found += _positions(beam, limits)
    if result.referee is not None:
        names = ", ".join(result.referee.violated) or "none"
        found.append(Check("referee: properties of truth violated", names, "none", not result.referee.violated))
    found.append(Check("late cycles", str(result.overruns), "0", result.overruns == 0))
    return tuple(found)


def _dose(beam: BeamResult) -> Check:
    given, by = (beam.delivered_mu, "record") if beam.true_mu is None else (beam.true_mu, "truth")
    off = round(given - beam.planned_mu, 3)
    return Check(f"beam {beam.number}: MU, {by} - planned", f"{off:+.3f} MU", f"{MU_LIMIT} MU", abs(off) <= MU_LIMIT)


def _positions(beam: BeamResult, limits: dict[str, float]) -> list[Check]:
    """The axis that came closest to its limit, in shares of it."""
    shares = []
    for name, deviation in beam.axes.items():
        if name in limits:
            worst = deviation.worst
            share = float("inf") if worst is None else worst / limits[name]
            shares.append((share, name, worst, deviation.unit))
    if not shares:
        return []
    share, name, worst, unit = max(shares)
    value = "no reading" if worst is None else f"{name} {worst:.3f} {unit}"
    return [Check(f"beam {beam.number}: worst axis", value, f"{limits[name]:g} {unit}", share <= 1.0)]


def result_of(record: RunRecord) -> Result:
    """result.json, or for a killed run what rows and journal still say."""
    if record.result is not None:
        return record.result
    rows = record.rows()
    entries = {entry.beam: entry for entry in record.journal()}
    beams = tuple(
        BeamResult(
            number=b.number,
            name=b.name,
            planned_mu=b.planned_mu,
            start_mu=b.start_mu,
            true_mu=None,
            delivered_mu=entries[b.number].mu if b.number in entries else b.start_mu,
            delivered_mu_2=entries[b.number].mu_2 if b.number in entries else b.start_mu,
            beam_on_s=beam_on_s(rows, b.number),
            axes=deviations(rows, b.number),
            holds=holds(rows, b.number),
            hold_count=len(holds(rows, b.number)),
            interruptions=interruptions(rows, b.number),
        )
        for b in record.manifest.beams
    )
    cycles = max([int(rows["cycle"][-1]) if len(rows) else 0, *(entry.cycle for entry in entries.values())])
    return Result(
        outcome="partial",
        reason="no result.json: the run was killed, or still goes on; doses are from its journal",
        digest="",
        seed=record.manifest.seed,
        simulated_s=cycles * record.manifest.cycle_s,
        cpu_s=0.0,
        wall_s=0.0,
        realtime_factor=None,
        cycles=cycles,
        overruns=0,
        beams=beams,
    )
