"""A small arc on a machine with 60 leaf pairs, as the run would have recorded it. Figures are made up for the tests."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from linac_ctl.config.machine import AxisConfig, BeamLimits, MachineConfig, MlcConfig, ModeConfig
from linac_ctl.control.phases import Hold, Phase
from linac_ctl.plan.model import Beam, FractionGroup, Plan
from linac_ctl.records.events import Event
from linac_ctl.records.folder import RunFolder
from linac_ctl.records.manifest import Manifest, PlannedBeam
from linac_ctl.records.result import BeamResult, InterlockTrip, Override, Reset, Result
from linac_ctl.records.rows import Rows

DT_S, ROW_EVERY = 0.01, 2
ROW_S = DT_S * ROW_EVERY
PAIRS = 60
BOUNDARIES_MM = tuple(
    [-200.0 + 10 * i for i in range(10)] + [-100.0 + 5 * i for i in range(40)] + [100.0 + 10 * i for i in range(11)]
)
PHASES = {int(phase): phase.name or "" for phase in Phase}
INTERLOCKS = [
    {"id": "GANTRY_POS", "signal": "GANTRY_OFF_DEG", "fine": "<= 1.0", "phases": ["beam"]},
    {"id": "MLC_POS", "signal": "LEAF_OFF_MM", "fine": "<= 2.0"},
    {"id": "MLC_OFF", "signal": "LEAF_OFF_MM", "fine": "<= 5.0"},
    {"id": "JAW_POS", "signal": "JAW_OFF_MM", "fine": "<= 1.0", "phases": ["ready"]},
]
LEADING = [
    "cycle",
    "phase",
    "beam",
    "control_point",
    "permit",
    "hold",
    "rate_mu_per_s",
    "expected_mu",
    "mu_1",
    "mu_2",
    "reactions",
    "clearance_mm",
]


def axis(name: str, unit: str = "mm", reach: float = 200.0) -> AxisConfig:
    return AxisConfig(
        name=name, unit=unit, low=-reach, high=reach, speed=25, beam_speed=25, accel=100, catch_up=1, tolerance=1
    )


def machine() -> MachineConfig:
    mlc = MlcConfig(
        model="test_120", log_model=2, boundaries_mm=BOUNDARIES_MM, leaf=axis("leaf"), span_mm=150, gap_mm=0
    )
    beam = BeamLimits(
        modes={"6X": ModeConfig(energy_mv=6, max_dose_rate_mu_per_min=600, mu_per_pulse=0.03)},
        timer_factor_static=1.25,
        timer_factor_dynamic=5,
        timer_floor_s=1,
        run_up_margin_s=0.2,
        dose_servo_gain=0.05,
        slow_down_at=0.5,
        warm_up_timeout_s=30,
        hold_settle_s=0.1,
        beam_on_latency_s=0.1,
    )
    return MachineConfig(
        gantry=(axis("gantry", "deg", 185),),
        collimator=(axis("collimator", "deg", 180),),
        jaws=tuple(axis(name) for name in ("X1", "X2", "Y1", "Y2")),
        mlc=mlc,
        carriages=(axis("carriage A"), axis("carriage B")),
        couch=(
            axis("couch lateral"),
            axis("couch longitudinal", reach=1500),
            axis("couch vertical"),
            axis("couch rotation", "deg"),
            axis("couch pitch", "deg", 3),
            axis("couch roll", "deg", 3),
        ),
        kv_arms=(axis("kV source vertical", reach=1000),),
        mv_arm=(axis("MV detector vertical", reach=1000),),
        beam=beam,
    )


def axis_names(config: MachineConfig) -> list[tuple[str, str]]:
    """(name, unit) in image order."""

    def named(axes: tuple[AxisConfig, ...]) -> list[tuple[str, str]]:
        return [(a.name, a.unit) for a in axes]

    leaves = [(f"{bank}{i + 1}", "mm") for bank in "AB" for i in range(config.mlc.pairs if config.mlc else 0)]
    return (
        named(config.gantry)
        + named(config.collimator)
        + named(config.jaws)
        + leaves
        + named(config.carriages)
        + named(config.couch)
        + named(config.kv_arms)
        + named(config.mv_arm)
    )


def columns(config: MachineConfig) -> tuple[str, ...]:
    return (*LEADING, *(f"{n}.{what}_{u}" for n, u in axis_names(config) for what in ("setpoint", "readback")))


def arc(number: int = 1, name: str = "CW_arc", mu: float = 60.0, points: int = 21, start_deg: float = -60.0) -> Beam:
    """A 120 deg arc whose aperture follows a wandering circle; jaws fit it."""
    f = np.linspace(0.0, 1.0, points)
    middle = np.array([(a + b) / 2 for a, b in pairwise(BOUNDARIES_MM)])
    half = np.sqrt(np.maximum(40.0**2 - middle**2, 0.0))
    centre = 15 * np.sin(2 * np.pi * f)[:, None]
    leaves = np.round(np.hstack([centre + half, centre - half]), 3)
    return Beam(
        number=number,
        name=name,
        technique="arc",
        mode="6X",
        mu=mu,
        dose_rate_mu_per_min=600.0,
        cumulative_mu=np.round(mu * (f + 0.02 * np.sin(4 * np.pi * f)), 4),
        gantry_deg=np.round(start_deg + 120 * f, 3),
        collimator_deg=np.full(points, 30.0),
        jaw_mm=np.tile([-60.0, 60.0, -42.0, 42.0], (points, 1)),
        leaf_mm=leaves,
        leaf_boundaries_mm=np.array(BOUNDARIES_MM),
        couch=np.tile([5.0, 1200.0, -100.0, 0.0, 0.0, 0.0], (points, 1)),
        isocentre_mm=(0.0, 0.0, 0.0),
        machine_name="TEST",
    )


def plan(*beams: Beam) -> Plan:
    chosen = beams or (arc(),)
    return Plan(
        label="Test arc",
        sop_instance_uid="1.2.826.0.1.3680043.8.498.1",
        patient_id="SIM001",
        patient_name="Sim^Phantom",
        beams=chosen,
        groups=(FractionGroup(1, 1, tuple(b.number for b in chosen)),),
        approval="UNAPPROVED",
        patient_position="HFS",
        frame_of_reference_uid="1.2.826.0.1.3680043.8.498.2",
        study_instance_uid="1.2.826.0.1.3680043.8.498.3",
        geometry="PATIENT",
        source="made here",
        sha256="ab" * 32,
    )


def beam_data(
    beam: Beam,
    config: MachineConfig,
    *,
    first_cycle: int,
    hold_s: float = 0.0,
    cut_at: float = 1.0,
    noise: float = 0.004,
    rate_mu_per_s: float = 10.0,
) -> np.ndarray:
    """(n, columns) rows of one beam: 0.2 s of waiting, dose at a steady rate with one hold half way, 0.2 s of end."""
    rng = np.random.default_rng(beam.number)
    on = round(cut_at * beam.mu / rate_mu_per_s / ROW_S)
    dose = np.concatenate(
        [np.zeros(10), np.arange(1, on + 1) * rate_mu_per_s * ROW_S, np.full(10, on * rate_mu_per_s * ROW_S)]
    )
    still = np.r_[np.ones(10, bool), np.zeros(on, bool), np.ones(10, bool)]
    at, length = 10 + on // 2, int(hold_s / ROW_S)
    dose, still = np.insert(dose, at, [dose[at - 1]] * length), np.insert(still, at, [True] * length)
    n = len(dose)
    expected = np.minimum(dose, beam.mu)
    point = np.interp(expected, beam.cumulative_mu, np.arange(len(beam.cumulative_mu)))
    data = np.zeros((n, len(columns(config))), np.float32)
    data[:, 0] = first_cycle + ROW_EVERY * np.arange(n)
    data[:, 1], data[:, 2], data[:, 3] = int(Phase.BEAM), beam.number, point
    data[-5:, 1] = int(Phase.MOVE)
    data[:, 4], data[:, 5] = ~still, np.where(still, int(Hold.HOLD), int(Hold.NORMAL))
    data[:, 6], data[:, 7] = np.where(still, 0, rate_mu_per_s), expected
    data[:, 8], data[:, 9], data[:, 11] = expected + 0.01 * (expected > 0), expected * 1.002, 150.0
    setpoints = axis_setpoints(beam, config, point)
    data[:, 12::2] = setpoints
    data[:, 13::2] = (
        setpoints + rng.normal(0, noise, setpoints.shape) * np.r_[[1] * 126, [0.1] * (setpoints.shape[1] - 126)]
    )
    return data


def axis_setpoints(beam: Beam, config: MachineConfig, point: np.ndarray) -> np.ndarray:
    """(n, axes): the plan at fractional control points; arms and carriages stand still."""
    index = np.arange(len(beam.cumulative_mu))

    def at(values: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(point, index, column) for column in values.T], axis=1)

    assert beam.leaf_mm is not None
    rest = np.zeros((len(point), len(config.kv_arms) + len(config.mv_arm)))
    return np.hstack(
        [
            at(beam.gantry_deg[:, None]),
            at(beam.collimator_deg[:, None]),
            at(beam.jaw_mm),
            at(beam.leaf_mm),
            np.tile([60.0, -60.0], (len(point), 1)),
            at(beam.couch),
            rest,
        ]
    )


def rows_of(*parts: np.ndarray, config: MachineConfig | None = None) -> Rows:
    return Rows(np.concatenate(parts), columns(config or machine()), DT_S)


def one_beam(hold_s: float = 0.4, **keys: Any) -> Rows:
    return rows_of(beam_data(arc(), machine(), first_cycle=1000, hold_s=hold_s, **keys))


def manifest(*beams: PlannedBeam, **changes: Any) -> Manifest:
    base = Manifest(
        session="test_session",
        machine="test_machine",
        seed=7,
        config_sha256="cd" * 32,
        plan_sha256="ab" * 32,
        code_version="0.1.0",
        started="2026-01-02T03:04:05",
        columns=columns(machine()),
        phases=PHASES,
        cycle_s=DT_S,
        row_every=ROW_EVERY,
        beams=beams or (PlannedBeam(1, "CW_arc", 60.0, time_limit_s=30.0),),
        versions={"numpy": "2"},
    )
    return replace(base, **changes)


def event(cycle: int = 1, what: str = "BEAM ON", **keys: Any) -> Event:
    return Event(cycle=cycle, t_s=cycle * DT_S, who="Alex", role="therapist", what=what, **keys)


def beam_result(rows: Rows, beam: Beam) -> BeamResult:
    from linac_ctl.records.deviations import beam_on_s, deviations, holds, interruptions

    n, dose = beam.number, rows.of_beam(beam.number)
    mu, mu_2 = (round(float(dose[c].max(initial=0.0)), 4) for c in ("mu_1", "mu_2"))
    return BeamResult(
        number=n,
        name=beam.name,
        planned_mu=beam.mu,
        delivered_mu=mu,
        delivered_mu_2=mu_2,
        true_mu=mu,
        start_mu=0.0,
        beam_on_s=beam_on_s(rows, n),
        axes=deviations(rows, n),
        holds=holds(rows, n),
        hold_count=len(holds(rows, n)),
        interruptions=interruptions(rows, n),
    )


def result(rows: Rows | None = None, beams: tuple[Beam, ...] = (), **changes: Any) -> Result:
    rows = one_beam() if rows is None else rows
    done = tuple(beam_result(rows, beam) for beam in beams or (arc(),))
    trip = InterlockTrip(
        id="MLC_LAG",
        kind="hold",
        cycle=1300,
        t_s=13.0,
        value=2.31,
        limit=2.0,
        first_out=True,
        reset=Reset(1350, 13.5, "Alex", "therapist", "leaf caught up"),
    )
    values: dict[str, Any] = {
        "outcome": "delivered",
        "reason": "",
        "digest": "0123456789abcdef",
        "seed": 7,
        "simulated_s": 40.0,
        "cpu_s": 0.02,
        "wall_s": 0.03,
        "realtime_factor": 1333.3,
        "cycles": 4000,
        "overruns": 0,
        "beams": done,
        "interlocks": (trip,),
        "overrides": (Override(900, 9.0, "Kim", "physicist", "couch vertical tolerance", "test", 5.0, 8.0),),
    }
    return Result(**(values | changes))


def write_run(
    path: Path,
    rows: Rows | None = None,
    *,
    finished: bool = True,
    chunk: int = 400,
    the_plan: Plan | None = None,
    **changes: Any,
) -> Path:
    """A run folder as the run would leave it; `finished=False`: as a killed run leaves it."""
    from linac_ctl.records.result import write_result

    rows = one_beam() if rows is None else rows
    the_plan = the_plan or plan()
    beams = tuple(PlannedBeam(b.number, b.name, b.mu, time_limit_s=30.0) for b in the_plan.beams)
    folder = RunFolder.create(path, manifest(*beams, **changes))
    folder.write_config(
        {
            "machine": {"name": "test_machine", "data": {"controller": machine().model_dump()}, "origin": {}},
            "interlocks": {"name": "test", "data": {"rows": INTERLOCKS}, "origin": {}},
        }
    )
    folder.write_plan(the_plan)
    folder.append(event(1, "session opened"))
    for slot, beam in enumerate(the_plan.beams):
        own = rows.of_beam(beam.number)
        if len(own):
            last = own.data[-1]
            folder.journal[slot] = (beam.number, 1, int(last[8] >= beam.mu), last[8], last[8], last[9], last[8], last[0])
    for first in range(0, len(rows), chunk):
        part = rows.data[first : first + chunk]
        folder.next_rows_chunk(chunk)[: len(part)] = part
    folder.append(event(1000, "BEAM ON", why="all ready"))
    folder.append(event(1300, "MLC_LAG tripped", old=0.1, new=2.31))
    if finished:
        folder.finish_rows(len(rows))
        write_result(path, result(rows, the_plan.beams))
        folder.close()
    else:
        folder.events.close()
    return path
