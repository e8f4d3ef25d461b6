"""Injects the faults of a schedule into a running session, and keeps the proof of what they did.

Everything happens between two cycles: what is injected after cycle k acts in cycle k + 1, several faults in the very same one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models.disturb.disturbance import Disturbance, new_disturbance
from device_models.disturb.moment import AT_LEAST, new_moments
from device_models.disturb.ramp import new_ramps
from device_models.disturb.twin import Twin
from device_models.disturb.words import Words
from device_models.faults.action import Ramp
from device_models.faults.errors import FaultError
from device_models.faults.fault import Fault
from device_models.interface.image import DT_S

from ..control.state import axis_names
from ..errors import FaultScheduleError
from ..runtime.disturbed import Disturbed
from .deeds import Deeds
from .evidence import Evidence
from .live import Live
from .loading import meant, new_live, only_at_load, place_of
from .plan import at_word, moment_of
from .rows import rows_of
from .schedule import Schedule

if TYPE_CHECKING:
    from ..app import Simulation

STEPS = {"Load": "load", "Identify": "load", "SetUp": "setup", "ClearRoom": "setup", "Verify": "imaging", "Match": "registration",
         "Approve": "approve", "ShiftCouch": "shift", "Close": "record"}


class Injector:
    """One per run that is armed for faults. Nothing of the session knows us but the engine, whose blocks we run."""

    def __init__(self, sim: "Simulation", schedule: Schedule) -> None:
        """FaultScheduleError for a fault that this session cannot have."""
        self.sim, self.schedule = sim, schedule
        self.words, self.place = words_of(sim), place_of(sim.order)
        self.faults: dict[str, Live] = {}
        self.blocks = Disturbed(sim.engine, self.words, new_disturbance(), self._due, self._acts)
        self.deeds = Deeds(sim, self.words, self.blocks)
        sim.engine.disturbed = self.blocks
        for fault in schedule.faults:
            self.add(fault)

    # --- what others may ask for

    def add(self, fault: Fault) -> None:
        """Arm a fault: it begins at its moment."""
        if fault.id in self.faults:
            raise FaultScheduleError(f"fault {fault.id!r}: there is one of that name already; give it another id")
        meant(fault, self.sim.order)
        live = new_live(fault, self.place, self.cycle)
        try:
            self._tables(live)
        except (FaultError, FaultScheduleError) as error:
            raise FaultScheduleError(f"fault {fault.id!r}: {error}") from None
        self.faults[fault.id] = live
        self.sim.engine.trace.state["faults"] = len(self.faults)
        if only_at_load(live):
            live.injected_cycle, live.active, live.times = 0, True, 1
            live.effective_cycle = live.due_cycle = 0 if fault.id in self.sim.changed_at_load else None
            self._row(live, False)["armed"] = 0

    @contextmanager
    def for_now(self) -> Iterator[None]:
        """What is armed inside, and has not begun, is not armed any more afterwards."""
        faults, disturbance, told = dict(self.faults), self.blocks.disturbance, int(self.sim.engine.trace.state["faults"][0])
        try:
            yield
        finally:
            self.faults, self.blocks.disturbance = faults, disturbance
            self.sim.engine.trace.state["faults"] = told

    def inject(self, fault: Fault) -> None:
        """Now, whatever its moment."""
        self.add(fault)
        self._begin(self.faults[fault.id])

    def clear(self, name: str) -> None:
        """Put everything back that can be put back; FaultScheduleError for one that does not exist."""
        if name not in self.faults:
            raise FaultScheduleError(f"fault {name!r}: not in this run; there are {', '.join(self.faults) or 'none'}")
        live = self.faults[name]
        self._row(live, False)["armed"] = self._row(live, True)["armed"] = 0
        if live.active:
            self._end(live)
        elif live.cleared_cycle is None:
            live.cleared_cycle = self.cycle + 1  # before it came

    def evidence(self) -> tuple[Evidence, ...]:
        """Every fault as it stands now."""
        for live in self.faults.values():
            self._look(live)
        return tuple(live.evidence() for live in self.faults.values())

    @property
    def cycle(self) -> int:
        """Machine time."""
        return int(self.sim.control.job["cycle"][0])

    def heard(self, who: str, what: str) -> None:
        """An event of the session: phases that only the workflow knows begin with one."""
        phase = ""
        if what.startswith("step "):
            step = what.removeprefix("step ")
            phase = "imaging" if step.startswith("Acquire") else STEPS.get(step, "")
        elif who == "kv_imager" and " frames" in what:
            phase = "registration"
        for live in self.faults.values():
            when = live.fault.when
            if (phase and when.phase == phase) or (when.phase == "resume" and what.endswith(" on") and self._interrupted()):
                self._come(live)

    def _interrupted(self) -> bool:
        return any(event.what.endswith(" stopped") for event in self.sim.events)

    # --- tables

    @property
    def disturbance(self) -> Disturbance:
        """The tables as they are now."""
        return self.blocks.disturbance

    def _tables(self, live: Live) -> None:
        """Rows of this fault, behind all others."""
        for action in live.actions:
            self.deeds.complain(action)
        index, d = len(self.faults), self.disturbance
        rows = rows_of(self.words, self.sim.order.seed, live.fault.id, live.actions, index, len(d.rings))
        moments = [moment_of(live.fault.when, self.words, index), new_moments(1)]
        moments[1]["fault"], moments[1]["ends"] = index, 1
        live.out, live.back = places(d.out, rows.out), places(d.back, rows.back)
        ramps = [new_ramps(1) for action in live.actions if isinstance(action, Ramp)]
        self.blocks.disturbance = d._replace(
            out=joined(d.out, *rows.out), back=joined(d.back, *rows.back),
            rings=np.concatenate([d.rings, np.array(rows.past, float)]),
            ramps=joined(d.ramps, *ramps), moments=joined(d.moments, *moments))

    def _row(self, live: Live, ends: bool) -> Any:
        """Its row in the table of moments."""
        return self.disturbance.moments[2 * list(self.faults.values()).index(live) + int(ends)]

    # --- moments

    def _due(self) -> None:
        """After a cycle: ends first, so that one fault may take over from another in the same cycle."""
        self.sim.loop.inside(self.blocks.done)
        for live in self.faults.values():
            self._look(live)
        rows = self.disturbance.moments
        fired = [i for i in range(len(rows)) if rows["fired"][i]]
        rows["fired"] = 0
        lives = list(self.faults.values())
        for i in sorted(fired, key=lambda i: (-int(rows["ends"][i]), i)):
            (self._end if rows["ends"][i] else self._begin)(lives[int(rows["fault"][i])])

    def _come(self, live: Live) -> None:
        """The moment has come by an event: now, or so much later. A phase that is entered again is not waited for again."""
        if live.came:
            return
        live.came = True
        row = self._row(live, False)
        if live.fault.when.after_s:
            row["armed"], row["due"] = 1, self.cycle + round(live.fault.when.after_s / DT_S)
        elif not live.active:
            self._begin(live)

    def _begin(self, live: Live) -> None:
        now = self.cycle
        self._row(live, False)["armed"] = 0  # whoever began it: its moment does not come once more
        live.injected_cycle = live.injected_cycle if live.times else now + 1
        live.began_cycle, live.active, live.times = now, True, live.times + 1
        if live.due_cycle is None and live.changes_plant:
            number, own = list(self.faults.values()).index(live), self.deeds.own(live)
            self.blocks.twins[live.fault.id] = Twin(self.sim.plant, self.sim.image, own, number, self.blocks.beside)
        for action in live.actions:
            self.deeds.do(live, action)
        for table, rows in ((self.disturbance.out, live.out), (self.disturbance.back, live.back)):
            for i in rows:
                table["active"][i], table["cycles_active"][i] = 1, 0
        self._set_end(live)
        self.sim.log("fault", f"{live.fault.id} injected", why=live.what)
        self._tell("injected", live)

    def _set_end(self, live: Live) -> None:
        lasts, row = live.fault.lasts, self._row(live, True)
        if lasts.permanent and not live.away_cycles:
            return
        row["armed"], row["due"], row["was"] = 1, -1, 0
        if lasts.mu is not None:
            given = float(self.sim.plant.beam["true_total_mu"][0])
            found = at_word(self.words, "plant.beam.true_total_mu", AT_LEAST, given + lasts.mu)
        else:
            found = at_word(self.words, "control.job.cycle", AT_LEAST, self.cycle + length(live))
        for name, value in found.items():
            row[name] = value

    def _end(self, live: Live) -> None:
        self._look(live)
        for table, rows in ((self.disturbance.out, live.out), (self.disturbance.back, live.back)):
            for i in reversed(rows):
                if table["active"][i] and table["cycles_active"][i]:
                    self._give_back(table[i])
                table["active"][i] = 0
        for undo in reversed(live.undo):
            undo()
        live.undo.clear()
        live.over(self.cycle + 1)
        self.sim.log("fault", f"{live.fault.id} cleared", why=live.what)
        self._tell("cleared", live)
        self._again(live)

    def _give_back(self, row: Any) -> None:
        """A wire that nobody has written meanwhile has its own value again."""
        view, word = (self.words.wholes if row["whole"] else self.words.floats)[int(row["part"])], int(row["word"])
        if np.array_equal(view[word], row["said"], equal_nan=True):
            view[word] = row["clean"]

    def _again(self, live: Live) -> None:
        lasts = live.fault.lasts
        if lasts.every_s is None or (lasts.times is not None and live.times >= lasts.times) or live.began_cycle is None:
            return
        row = self._row(live, False)
        row["armed"], row["due"] = 1, live.began_cycle + round(lasts.every_s / DT_S)

    def _tell(self, event: str, about: Live) -> None:
        """Faults that wait for this one."""
        for live in self.faults.values():
            when = live.fault.when
            if when.fault == about.fault.id and when.event == event:
                self._come(live)

    # --- evidence

    def _look(self, live: Live) -> None:
        """Disturbed wires and alterations say by themselves since when they act."""
        d, before = self.disturbance, live.effective_cycle
        found = [int(d.out["effective"][i]) for i in live.out] + [int(d.back["effective"][i]) for i in live.back]
        for cycle in [cycle for cycle in found if cycle >= 0]:
            live.acts_since(cycle)
        due = [int(d.out["due"][i]) for i in live.out] + [int(d.back["due"][i]) for i in live.back]
        for cycle in [cycle for cycle in due if cycle >= 0] + [a.cycle for a in live.altered if a.cycle is not None]:
            live.counts_since(cycle)
        if before is None and live.effective_cycle is not None:
            self._tell("effective", live)

    def _acts(self, name: str, cycle: int, beyond: bool) -> None:
        """A twin or a line has noticed; `beyond` what may be."""
        live = self.faults[name]
        before = live.effective_cycle
        (live.counts_since if beyond else live.acts_since)(cycle)
        if before is None:
            self._tell("effective", live)


def words_of(sim: "Simulation") -> Words:
    """Names of everything in this session that a fault can touch."""
    machine = sim.order.machine.controller
    axes: dict[str, list[str]] = {}
    for device in ("gantry", "collimator", "jaws", "carriages", "kv_arms", "mv_arm"):
        axes[device] = [axis.name.split(".")[-1] for axis in getattr(machine, device)]
    leaves = [name for name, _ in axis_names(machine) if name[0] in "AB" and name[1:].isdigit()]
    return Words(sim.image, sim.plant, sim.control.job, axes | {"mlc": leaves})


def length(live: Live) -> int:
    """Cycles from the beginning of a fault to its end by time."""
    lasts = live.fault.lasts
    if lasts.permanent:
        return live.away_cycles
    return 1 if lasts.blip else max(1, round((lasts.s or 0) / DT_S))


def places(table: Any, rows: list[Any]) -> list[int]:
    """Where new rows will be."""
    return list(range(len(table), len(table) + sum(map(len, rows))))


def joined(table: Any, *rows: Any) -> Any:
    """The table with more rows; records stay records in plain Python."""
    rows = tuple(row for row in rows if len(row))
    if not rows:
        return table
    longer = np.concatenate([np.asarray(table), *[np.asarray(row) for row in rows]]) if len(table) or len(rows) > 1 else rows[0]
    return longer.view(np.recarray) if isinstance(table, np.recarray) else longer
