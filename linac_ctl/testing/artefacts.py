"""Run folders of tests: where they are, what becomes of them, and what a failed one says."""

import re
import shutil
from pathlib import Path

from device_models.interface.image import DT_S

from ..injection.evidence import Evidence
from ..injection.schedule import Schedule
from ..order import Order
from ..outcome import complete_record, create_folder
from ..records.manifest import NAME as MANIFEST
from .referee import worst
from .rig import Rig

STARTED = "1970-01-01T00:00:00"  # a test's record holds no wall time: equal tests, equal bytes


def folder_for(base: Path, nodeid: str, number: int) -> Path:
    """A place of its own for every machine of every test; what an earlier session left there is taken away."""
    name = re.sub(r"[^\w.\-\[\]]+", "-", nodeid.replace(".py::", "-"))[-120:].strip("-")
    path = base / (name if number == 1 else f"{name}-{number}")
    if (path / MANIFEST).exists():
        shutil.rmtree(path)
    return path


def powered_up(order: Order, path: Path, faults: Schedule | None = None, beside: Path = Path()) -> Rig:
    """A machine whose record goes to this folder; armed for faults if there is a schedule, be it an empty one."""
    folder, order = create_folder(order, path, started=STARTED, faults=faults)
    return Rig(order, folder, faults, beside)


def keep(linac: Rig) -> None:
    """Everything a run folder has, report and all, of a run that may have been left in the middle."""
    if linac.folder is not None:
        complete_record(linac.sim, linac.folder, 0.0, 0.0, report=True, radiographs="none")


def drop(linac: Rig) -> None:
    """The test has passed: nobody will ask."""
    if linac.path is not None:
        shutil.rmtree(linac.path, ignore_errors=True)


def told(fault: Evidence) -> str:
    """How far it came."""
    moments = (("injected", fault.injected_cycle), ("effective", fault.effective_cycle), ("cleared", fault.cleared_cycle))
    steps = [f"{what} {cycle * DT_S:.2f} s" for what, cycle in moments if cycle is not None]
    return f"{fault.id} ({fault.what}): {', '.join(steps) or 'not injected'}"


def story(linac: Rig) -> str:
    """What a person who looks at a failed test wants to know first."""
    order = linac.order
    lines = [
        f"session     {order.name} on {order.machine.name}, workflow {order.workflow}, plan {order.plan.label}, seed {order.seed}",
        f"now         {linac.t_s:.2f} s (cycle {linac.cycle}), phase {linac.phase}, beam {linac.beam}, {linac.mu:.3f} MU",
        f"first-out   {', '.join(linac.first_out) or 'nothing has stopped it'}",
    ]
    lines += [f"fault       {told(one)}" for one in linac.evidence()]
    lines += [f"tripped     {trip.text}" for trip in linac.trips if trip.stop != "inhibit"][-8:]
    lines += [f"referee     {text}" for text in worst(linac)]
    if linac.error is not None:
        lines.append(f"ended with  {linac.error}")
    if linac.path is not None:
        lines += [f"run folder  {linac.path}", f"replay      linac-ctl replay {linac.path}"]
    return "\n".join(lines)
