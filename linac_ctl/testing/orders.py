"""From the words of a mark to an order: which session, machine, plan, seed, and which defences are taken away."""

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

from ..config.suggest import did_you_mean
from ..errors import UsageError
from ..injection.schedule import Schedule, load_schedule
from ..interlocks.table import InterlockTable
from ..order import Order, RefereeMode, resolve
from ..patient_room import with_room

SESSION = "box"  # four static fields: the whole of it takes half a second


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `@pytest.mark.linac(...)` may say."""

    session: str = SESSION
    machine: str | None = None
    workflow: str | None = None
    plan: str | Path | None = None
    seed: int | None = None
    without: tuple[str, ...] = ()  # rows of the interlock table that this machine does not have
    faults: str | Path | None = None  # a schedule
    referee: RefereeMode = "stop"  # watch: a violated property is noted, and the run goes on
    armed: bool = False  # faults may be injected later; the fixture `inject` arms, too


def wanted(given: dict[str, Any]) -> Wanted:
    """UsageError for a word that a mark does not have."""
    known = list(Wanted.__dataclass_fields__)
    if strange := [name for name in given if name not in known]:
        raise UsageError(f"mark linac: {', '.join(strange)}: no such word; there are {', '.join(known)}")
    if given.get("referee", "stop") not in get_args(RefereeMode):
        raise UsageError(f"mark linac: referee {given['referee']!r}: {' or '.join(get_args(RefereeMode))}")
    rows = given.get("without", ())
    return Wanted(**given | {"without": (rows,) if isinstance(rows, str) else tuple(rows)})


def order_of(what: Wanted, beside: Path) -> Order:
    """An order; files may be named relative to the test's folder `beside`. What is read is kept for the next test."""
    order = _read(found(what.session, beside), what.machine and found(what.machine, beside),
                  what.workflow and found(what.workflow, beside), what.plan and found(what.plan, beside))
    order = replace(order, referee=what.referee) if what.seed is None else replace(order, referee=what.referee, seed=what.seed)
    return without(order, what.without)


def schedule_of(what: Wanted, beside: Path, armed: bool) -> Schedule | None:
    """The faults of a test; an empty schedule arms the machine for those that are injected later, None does not."""
    if what.faults is not None:
        return load_schedule(found(what.faults, beside))
    return Schedule("test") if armed or what.armed else None


def found(name: str | Path, beside: Path) -> str:
    """A file beside the test, else the name as it is."""
    here = beside / name
    return str(here) if here.is_file() else str(name)


@cache
def _read(session: str, machine: str | None, workflow: str | None, plan: str | None) -> Order:
    return with_room(resolve(session, machine=machine, workflow=workflow, plan=Path(plan) if plan else None, scratch=_scratch()))


@cache
def _scratch() -> Path:
    """For plans that are made; it lives as long as this process."""
    folder = tempfile.TemporaryDirectory(prefix="linac-ctl-")
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[Any] = []


def without(order: Order, rows: tuple[str, ...]) -> Order:
    """The same order on a machine whose interlock table lacks these rows: the record says so, as its configuration has them not."""
    if not rows:
        return order
    there = [row.id for row in order.table.rows]
    if strange := [row for row in rows if row not in there]:
        raise UsageError(f"mark linac: without {strange[0]!r}: no such row of the interlock table{did_you_mean(strange[0], there)}")
    part = order.configuration["interlocks"]
    data = part["data"] | {"name": f"{order.table.name} without {', '.join(rows)}",
                           "rows": [row for row in part["data"]["rows"] if row["id"] not in rows]}
    table = InterlockTable.model_validate(data)
    return replace(order, table=table, configuration=order.configuration | {"interlocks": part | {"data": data}})


