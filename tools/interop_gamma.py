"""Deliver real plans and let pylinac judge our trajectory logs: actual against expected, and actual against the plan itself.

    LINAC_CTL_REAL_DATA=... LINAC_CTL_INTEROP_PYTHON=... python tools/interop_gamma.py

For "against the plan" the expected columns of a copy of the log are replaced by what the DICOM plan asks for at the MU that
was really given, so that pylinac compares what was delivered with the plan and not with what we asked of ourselves.
The exit code is that of actual against expected (99 %): against the plan, dose that falls into the 20 ms beside the right
ones shows in slits of 1 mm.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from linac_ctl.app import Simulation  # noqa: E402
from linac_ctl.order import Order, resolve  # noqa: E402
from linac_ctl.outcome import complete_record, create_folder  # noqa: E402
from linac_ctl.plan.model import Beam  # noqa: E402
from linac_ctl.records.native_scale import BANK_A, BANK_B, to_native  # noqa: E402
from linac_ctl.records.trajectory_log import Axis, TrajectoryLog, read_log, write_log  # noqa: E402

PLANS = {
    "T1.1_PicketFenceRA_M120_TB_Rev02.dcm": "c_arm_m120",
    "T2_DoseRateGantrySpeed_M120_TB_Rev02.dcm": "c_arm_m120",
    "T0.2_PicketFenceStatic_HD120_TB_Rev02.dcm": "c_arm_hd120",
    "pydicom_static_rtplan.dcm": "c_arm_m120",
}
ANALYSE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pylinac.log_analyzer import load_log
for path in sys.argv[1:]:
    log = load_log(path)
    log.fluence.gamma.calc_map(doseTA=1, distTA=1)
    gamma = log.fluence.gamma
    print(json.dumps({"kind": str(log.treatment_type), "mu": float(log.axis_data.mu.actual[-1]),
                      "passed": float(gamma.pass_prcnt), "mean": float(gamma.avg_gamma)}))
"""


@dataclass(frozen=True)
class Opinion:
    """What pylinac says of one of our logs."""

    plan: str
    beam: str
    kind: str
    mu: float
    passed: float  # % of pixels, 1 %/1 mm, actual against expected
    mean: float
    passed_plan: float  # the same against the plan
    mean_plan: float


def against_plan(log: TrajectoryLog, beam: Beam) -> TrajectoryLog:
    """The same log with the plan as what was expected: positions at the MU given, which count as expected MU too."""
    expected = log.actual.copy()
    mu = log.actual[:, log.columns(int(Axis.MU))][:, 0]

    def at(column: Any) -> Any:
        return np.interp(mu, beam.cumulative_mu, column)

    expected[:, log.columns(int(Axis.GANTRY))] = to_native(Axis.GANTRY, at(beam.gantry_deg))[:, None]
    expected[:, log.columns(int(Axis.COLLIMATOR))] = to_native(Axis.COLLIMATOR, at(beam.collimator_deg))[:, None]
    for i, axis in enumerate((Axis.X1, Axis.X2, Axis.Y1, Axis.Y2)):
        if not np.isnan(beam.jaw_mm[:, i]).any():
            expected[:, log.columns(int(axis))] = to_native(axis, at(beam.jaw_mm[:, i]))[:, None]
    if beam.leaf_mm is not None:
        pairs = beam.leaf_mm.shape[1] // 2
        first = log.columns(int(Axis.MLC)).start + 2
        for i in range(2 * pairs):
            expected[:, first + i] = at(beam.leaf_mm[:, i]) * (BANK_A if i < pairs else BANK_B)
    return replace(log, expected=expected)


def deliver(plan: Path, machine: str, work: Path) -> tuple[Order, list[Path]]:
    """Run the plan; -> its logs, version 3."""
    folder, order = create_folder(resolve("spine_sbrt", plan=plan, machine=machine, workflow="bench", scratch=work),
                                  work / plan.stem, started="2026-01-01T00:00:00")
    sim = Simulation(order, folder)
    sim.run()
    complete_record(sim, folder, 1.0, 1.0, report=False)
    if sim.error is not None:
        raise SystemExit(f"{plan.name}: {sim.error}")
    return order, sorted((folder.path / "logs" / "v3").glob("*.bin"))


def opinions(plan: Path, machine: str, python: str, work: Path) -> list[Opinion]:
    """One per beam of the plan."""
    order, logs = deliver(plan, machine, work)
    beams, pairs = order.plan.fraction(order.group), []
    for path, beam in zip(logs, sorted(beams, key=lambda b: f"{b.number}-{b.name}"), strict=True):
        copy = path.with_name(path.stem.replace("_TX_", "_PLAN_") + ".bin")
        copy.write_bytes(write_log(against_plan(read_log(path.read_bytes(), path.name), beam)))
        pairs += [str(path), str(copy)]
    done = subprocess.run([python, "-c", ANALYSE, *pairs], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"pylinac: {done.stderr[-800:]}")
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [Opinion(plan.name, path.stem, a["kind"], a["mu"], a["passed"], a["mean"], b["passed"], b["mean"])
            for path, a, b in zip(logs, said[::2], said[1::2], strict=True)]


def main() -> int:
    """See the module's first lines."""
    data, python = Path(os.environ.get("LINAC_CTL_REAL_DATA", "")), os.environ.get("LINAC_CTL_INTEROP_PYTHON", "")
    if not (data / "rtplan").is_dir() or not python:
        raise SystemExit("LINAC_CTL_REAL_DATA (a folder with rtplan/) and LINAC_CTL_INTEROP_PYTHON (with pylinac) are needed")
    print("| plan, beam | pylinac says | MU | gamma 1 %/1 mm, asked | mean | gamma 1 %/1 mm, plan | mean |")  # noqa: T201
    print("|---" * 7 + "|")  # noqa: T201
    worst = 100.0
    with tempfile.TemporaryDirectory() as work:
        for name, machine in PLANS.items():
            for o in opinions(data / "rtplan" / name, machine, python, Path(work)):
                print(f"| {o.plan}, {o.beam.split('_')[2]} | {o.kind} | {o.mu:.2f} | {o.passed:.2f} % | {o.mean:.4f} | "  # noqa: T201
                      f"{o.passed_plan:.2f} % | {o.mean_plan:.4f} |")
                worst = min(worst, o.passed)
    return 0 if worst >= 99.0 else 1


if __name__ == "__main__":
    sys.exit(main())
