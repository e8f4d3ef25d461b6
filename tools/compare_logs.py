"""Trajectory logs of real machines beside ours, as a Markdown table.

    LINAC_CTL_REAL_DATA=... python tools/compare_logs.py > table.md

Real logs are read from <data>/trajectory_logs, ours come from delivering the plans of <data>/rtplan in virtual time.
Both are read by the same reader and judged by the same functions, so what differs is the machine.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from linac_ctl.app import Simulation  # noqa: E402
from linac_ctl.order import resolve  # noqa: E402
from linac_ctl.outcome import complete_record, create_folder  # noqa: E402
from linac_ctl.records.trajectory_log import Axis, TrajectoryLog, read_log  # noqa: E402

REAL = {
    "real arc, 120 leaves (v2.1)": "v2.1/vmat_v2.1.bin",
    "real static, 120 leaves (v2.1)": "v2.1/static_JS0_v2.1.bin",
    "real moving jaw, two fields, 120 leaves": "session_kvkv_then_treat_M120/M120_1.2_TX_20151015091647.bin",
    "real moving jaw, HD leaves": "session_kvkv_port_treat_HD120/HD120_1.3_TX_20151015131228.bin",
    "real static, HD leaves": "session_kvkv_port_treat_HD120/HD120_1.4_TX_20151015131318.bin",
    "real scan at 6 deg/s, no dose": "cbct/HD120_KVCBCT_Setup_20151015092804.bin",
}
OURS = {
    "ours, picket fence in an arc": ("T1.1_PicketFenceRA_M120_TB_Rev02.dcm", "c_arm_m120"),
    "ours, dose rate and gantry speed": ("T2_DoseRateGantrySpeed_M120_TB_Rev02.dcm", "c_arm_m120"),
    "ours, picket fence, gantry still": ("T0.2_PicketFenceStatic_HD120_TB_Rev02.dcm", "c_arm_hd120"),
    "ours, made 10FFF arcs": ("", "c_arm_hd120"),
}
AXES = {"gantry deg": (Axis.GANTRY, 1.0), "collimator deg": (Axis.COLLIMATOR, 1.0), "X1 mm": (Axis.X1, 10.0),
        "X2 mm": (Axis.X2, 10.0), "Y1 mm": (Axis.Y1, 10.0), "Y2 mm": (Axis.Y2, 10.0)}
FAST_DEG_PER_S = 4.5
MOVES_MM_PER_S = 1.0


@dataclass(frozen=True)
class Judged:
    """One log in figures, ready to print: row title -> text."""

    name: str
    rows: dict[str, str]


def column(log: TrajectoryLog, axis: Axis) -> tuple[Any, Any]:
    """(expected, actual) of an axis with one sample, float64."""
    at = log.columns(int(axis))
    return log.expected[:, at][:, 0].astype(float), log.actual[:, at][:, 0].astype(float)


def spread(values: Any, digits: int = 3) -> str:
    """RMS, 95 % and largest of absolute values."""
    if not len(values):
        return "-"
    size = np.abs(values)
    return " / ".join(f"{x:.{digits}f}" for x in (np.sqrt(np.mean(size**2)), np.percentile(size, 95), size.max()))


def judge(name: str, log: TrajectoryLog) -> Judged:
    """All figures of one log."""
    step_s = log.interval_ms / 1000.0
    mu_asked, mu = column(log, Axis.MU)
    hold = column(log, Axis.BEAM_HOLD)[1]
    per_step = np.diff(mu, prepend=mu[0])
    flowing = per_step > 1e-4
    rows = {"snapshots, s": f"{len(mu)} ({len(mu) * step_s:.1f} s)", "MU": f"{mu[-1]:.2f}"}
    whole = flowing if flowing.any() else np.ones(len(mu), bool)
    for title, (axis, scale) in AXES.items():
        asked, seen = column(log, axis)
        rows[f"{title}: RMS / 95 % / max"] = spread((asked - seen)[whole] * scale)
    rows |= leaves(log, whole, step_s) | gantry(log, whole, step_s) | dose(mu_asked, mu, per_step, hold, step_s)
    return Judged(name, rows)


def leaves(log: TrajectoryLog, whole: Any, step_s: float) -> dict[str, str]:
    """All leaves, and those that move."""
    at = log.columns(int(Axis.MLC))
    asked, seen = log.expected[:, at][:, 2:].astype(float) * 10, log.actual[:, at][:, 2:].astype(float) * 10
    off = asked - seen
    moving = np.abs(np.gradient(asked, axis=0)) / step_s > MOVES_MM_PER_S
    moving[~whole] = False
    return {"leaves mm: RMS / 95 % / max": spread(off[whole].ravel()), "moving leaves mm: RMS / 95 % / max": spread(off[moving])}


def gantry(log: TrajectoryLog, whole: Any, step_s: float) -> dict[str, str]:
    """Lag at speed, in the direction of motion."""
    asked, seen = column(log, Axis.GANTRY)
    speed = np.gradient(asked) / step_s
    steady = whole & (np.abs(speed) > FAST_DEG_PER_S) & (np.abs(np.gradient(speed)) < 0.05)
    if steady.sum() < 20:
        return {"gantry lag above 4.5 deg/s, mean ± sigma": "-", "gantry top speed deg/s": f"{np.abs(speed).max():.2f}"}
    lag = ((asked - seen) * np.sign(speed))[steady]
    return {"gantry lag above 4.5 deg/s, mean ± sigma": f"{lag.mean():+.3f} ± {lag.std():.3f}",
            "gantry top speed deg/s": f"{np.percentile(np.abs(speed[steady]), 99):.2f}"}


def dose(asked: Any, mu: Any, per_step: Any, hold: Any, step_s: float) -> dict[str, str]:
    """Dose per snapshot, holds, beam time, expected against actual."""
    on = per_step[per_step > 1e-4]
    if len(on) < 20:
        return {}
    top = np.percentile(on, 90)
    steady = on[on > 0.8 * top]
    pauses = lengths(hold != 0) * step_s
    used = (np.flatnonzero(per_step > 1e-4)[-1] - np.flatnonzero(per_step > 1e-4)[0] + 1) * step_s
    off = (asked - mu)[(per_step > 1e-4)]
    return {
        "MU per snapshot at full rate: 5 / 50 / 95 %": " / ".join(f"{np.percentile(steady, p):.3f}" for p in (5, 50, 95)),
        "same, relative sigma": f"{100 * steady.std() / steady.mean():.1f} %",
        "full rate MU/min": f"{steady.mean() / step_s * 60:.0f}",
        "expected - actual MU: RMS / 95 % / max": spread(off),
        "holds: number, median s, longest s": f"{len(pauses)}, {np.median(pauses):.2f}, {pauses.max():.2f}" if len(pauses) else "0",
        "first to last MU s (MU / full rate s)": f"{used:.1f} ({(mu[-1] - mu[0]) / steady.mean() * step_s:.1f})",
    }


def lengths(mask: Any) -> Any:
    """Lengths of the runs of True, in snapshots."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return edges[1::2] - edges[::2]


def our_logs(data: Path, work: Path) -> list[tuple[str, TrajectoryLog]]:
    """Deliver and read back."""
    found = []
    for name, (plan, machine) in OURS.items():
        path = data / "rtplan" / plan if plan else None
        folder, order = create_folder(resolve("spine_sbrt", plan=path, machine=machine, workflow="bench", scratch=work),
                                      work / name.replace(" ", "-"), started="2026-01-01T00:00:00")
        sim = Simulation(order, folder)
        sim.run()
        complete_record(sim, folder, 1.0, 1.0, report=False)
        if sim.error is not None:
            raise SystemExit(f"{name}: {sim.error}")
        logs = sorted((folder.path / "logs" / "v3").glob("*.bin"))
        titles = [f"{name} ({n})" if len(logs) > 1 else name for n in range(1, len(logs) + 1)]
        found += [(title, read_log(log.read_bytes(), log.name)) for title, log in zip(titles, logs, strict=True)]
    return found


def table(judged: list[Judged]) -> str:
    """Figures down, logs across."""
    titles = list(dict.fromkeys(title for j in judged for title in j.rows))
    lines = ["| | " + " | ".join(j.name for j in judged) + " |", "|---" * (len(judged) + 1) + "|"]
    return "\n".join([*lines, *(f"| {title} | " + " | ".join(j.rows.get(title, "-") for j in judged) + " |" for title in titles)])


def main() -> int:
    """See the module's first lines."""
    data = Path(os.environ.get("LINAC_CTL_REAL_DATA", ""))
    if not (data / "trajectory_logs").is_dir():
        raise SystemExit("LINAC_CTL_REAL_DATA names no folder with trajectory_logs and rtplan in it")
    real = [judge(name, read_log((data / "trajectory_logs" / path).read_bytes(), path)) for name, path in REAL.items()]
    with tempfile.TemporaryDirectory() as work:
        ours = [judge(name, log) for name, log in our_logs(data, Path(work))]
    print(table(real) + "\n\n" + table(ours))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
