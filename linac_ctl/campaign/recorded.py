"""A run folder as a case: the same session with the same faults, by files that are still as they were."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.files import available
from ..errors import LinacError, RefusedError
from ..order import Order, order_on_record, resolve
from ..records.fault import read_schedule
from ..records.manifest import NAME as MANIFEST
from ..records.run_record import RunRecord
from .case import Case, Labels, case_id, schedule_text

Files = tuple[str, str | None, str | None]  # session, workflow and machine as the command line takes them


@dataclass(frozen=True, slots=True)
class Recorded:
    """A case, the order of its run, and the plan file that `run` has to be told besides the session."""

    case: Case
    order: Order
    plan: Path | None


def is_run(folder: Path) -> bool:
    """A run, not a campaign."""
    return (folder / MANIFEST).is_file()


def recorded(run: Path, scratch: Path) -> Recorded:
    """RefusedError for a run without faults, one that goes on with another, or one whose files have changed since."""
    record = RunRecord.open(run)
    faults = (read_schedule(run) or {}).get("faults", [])
    if not faults:
        raise RefusedError(f"{run}: no faults were injected in this run; there is nothing to make smaller")
    if record.manifest.resumes or record.manifest.stop_after_s is not None:
        raise RefusedError(f"{run}: a part of a session; run the whole session with its {run / 'faults.json'}, then shrink that")
    order = order_on_record(run, record)
    if order.links:
        raise RefusedError(f"{run}: {', '.join(order.links)} ran on a line; run the session without --link, then shrink that")
    files, found, plan = files_of(run, order, scratch)
    labels = Labels(" ".join(str(fault["mode"]) for fault in faults if fault.get("mode")))
    name = case_id(*files, order.seed, faults)
    case = Case(0, name, "grid", files[0], order.seed, schedule_text(faults, name), labels, files[1], files[2], "fork")
    return Recorded(case, found, plan)


def files_of(run: Path, order: Order, scratch: Path) -> tuple[Files, Order, Path | None]:
    """What names the session of the run, the order that comes of it, and the plan if it is not the session's own."""
    for files in candidates(order.configuration):
        for plan in (None, run / "plan.dcm"):
            try:
                found = resolve(files[0], workflow=files[1], machine=files[2], plan=plan, scratch=scratch)
            except LinacError:
                continue
            if same(found, order):
                return files, found, plan
    raise RefusedError(f"{run}: the files of its session are not those of then, or not where they were; run the session anew with "
                       f"--faults {run / 'faults.json'}, then shrink that")


def candidates(configuration: dict[str, Any]) -> Iterator[Files]:
    """By name, as most are, or by the files that were read then; parts that the session names itself are left out first."""
    session = configuration["session"]
    names = [session["name"]] if session["name"] in available("sessions") else []
    for place in (*names, origin(session)):
        yield place, None, None
        for workflow in (configuration["workflow"]["name"], origin(configuration["workflow"])):
            yield place, workflow, None
            for machine in (configuration["machine"]["name"], origin(configuration["machine"])):
                yield place, None, machine
                yield place, workflow, machine


def origin(part: dict[str, Any]) -> str:
    """The file that a part of the configuration was read from."""
    return str(part["origin"].get("", "")).rsplit(":", 2)[0]


def same(a: Order, b: Order) -> bool:
    """The same contents, wherever the files are; of the plan its bytes count, and whether it is held against anything."""
    held = (a.expected is None) == (b.expected is None)
    return a.plan.sha256 == b.plan.sha256 and held and data_of(a.configuration) == data_of(b.configuration)


def data_of(configuration: dict[str, Any]) -> dict[str, Any]:
    """Contents without places."""
    data = {name: part["data"] for name, part in configuration.items()}
    return data | {"session": {key: value for key, value in data["session"].items() if key != "plan"}}
