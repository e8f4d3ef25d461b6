"""One planted defect per property: a real run of a controller or channel that is broken on purpose. The referee must go red.

A defect is a row of the interlock table that is missing, a parameter that is wrong, or a piece of memory that somebody writes to in
every cycle. The machine is the small one of the tests; `rows` of the interlock table that would have caught it are taken away.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from device_models.referee.judging.verdict import Verdicts
from linac_ctl.order import Order
from linac_ctl.sequencer.staff import Act
from tests.scenarios.bench import Bench, at_mu, at_s
from tests.sequencer.guided import guided, protocol, room
from tests.support import order_for, quick, small_arc, small_sliding_window, small_static

Do = Callable[[Bench], None]
ALL = None  # every row is missing


@dataclass(frozen=True)
class Canary:
    """`at`: the defect begins at these MU of the first beam, or at once. `every`: it is written again in every cycle."""

    what: str
    do: Do
    at_mu: float | None = None
    at_s: float | None = None
    every: bool = False
    rows: tuple[str, ...] | None = ()  # of the interlock table that are missing
    order: Callable[[], Order] = lambda: order_for(quick(), [small_static(quick(), mu=20.0, mode="6X")])
    guided: bool = False

    def run(self) -> "Judged":
        """The broken run, judged."""
        bench = Flawed(without(self.order(), self.rows), self, **({"prepared": room()} if self.guided else {}))
        bench.run()
        return Judged(bench, bench.verdicts())


@dataclass(frozen=True)
class Judged:
    """What came of it."""

    bench: Bench
    verdicts: Verdicts


class Flawed(Bench):
    """A bench with a defect."""

    def __init__(self, order: Order, canary: Canary, **kw: Any) -> None:
        waits = canary.at_mu is not None or canary.at_s is not None
        first = at_mu(1, canary.at_mu or 0.0, self._begin) if canary.at_mu is not None else at_s(canary.at_s or 0.0, self._begin)
        super().__init__(order, [first] if waits else [], **kw)
        self.canary, self.flawed = canary, False
        if not waits:
            self._begin(self)

    def _begin(self, bench: Bench) -> None:
        self.flawed = True
        self.canary.do(self)

    def _look(self) -> None:
        super()._look()
        if self.flawed and self.canary.every:
            self.canary.do(self)


def without(order: Order, ids: tuple[str, ...] | None) -> Order:
    """The same order, rows missing."""
    rows = tuple(row for row in order.table.rows if ids is not None and row.id not in ids)
    return replace(order, table=order.table.model_copy(update={"rows": rows}))


def plant(part: str, **values: Any) -> Do:
    """Parameters of the machine."""
    def do(bench: Bench) -> None:
        for name, value in values.items():
            getattr(bench.plant, part)[name] = value
    return do


def job(**values: Any) -> Do:
    """The controller's memory."""
    def do(bench: Bench) -> None:
        for name, value in values.items():
            bench.control.job[name] = value
    return do


def both(*doing: Do) -> Do:
    """One after the other."""
    def do(bench: Bench) -> None:
        for one in doing:
            one(bench)
    return do


def arc() -> Order:
    """20 MU while the gantry turns by 40 deg."""
    return order_for(quick(), [small_arc(quick(), mu=20.0, gantry=(-20.0, 20.0), mode="6X")])


def window() -> Order:
    """Leaves that move."""
    return order_for(quick(), [small_sliding_window(quick(), mu=20.0)])


def unverified() -> Order:
    """The second look finds everything good enough, and nobody looks before the beam."""
    return guided(rules=protocol(verify={"residual_mm": 15.0, "residual_deg": 3.0}, intrafraction={"triggered": None}))


def turning(**kw: Any) -> Callable[[], Order]:
    """The gantry has far to go before the beam."""
    return lambda: order_for(quick(), [small_static(quick(), mu=2.0, gantry=60.0, mode="6X")], **kw)


# --- defects that are more than a value


def forgetful(bench: Bench) -> None:
    """A row trips, and forgets it; nobody has reset it."""
    rows = bench.control.interlocks
    tripped = bool(rows["tripped"].any())
    rows["threshold"][rows_of(bench).index("MU_DIS")] = 1.0 if tripped else 0.0
    if tripped:
        rows["tripped"], rows["tripped_copy"], rows["holds"] = 0, 1, 0


def held(bench: Bench) -> None:
    """A routine row trips."""
    bench.control.interlocks["threshold"][rows_of(bench).index("GANTRY_POS")] = -1.0


def speechless(bench: Bench) -> None:
    """Neither the panel nor the log keeps what happened."""
    bench.linac.panel.history.clear()
    bench.linac.holds.clear()
    bench.events.clear()


def patience(bench: Bench) -> None:
    """Nobody keeps the limit that was asked for: 1 s in any state."""
    bench.order = replace(bench.order, longest_s=1.0)


def rows_of(bench: Bench) -> list[str]:
    """Ids in the order of the table."""
    return [row.id for row in bench.order.table.rows]


def harmless(bench: Bench) -> None:
    """Rows trip, and nothing comes of it."""
    bench.control.interlocks["reaction"] = 0


def last_row_forgotten(bench: Bench) -> None:
    """The scan ends one row too early."""
    bench.engine.control = bench.engine.control._replace(interlocks=bench.engine.control.interlocks[:-1])


def touchy(bench: Bench) -> None:
    """A limit that nobody can keep."""
    bench.control.interlocks["threshold"][rows_of(bench).index("MU_DIS")] = 0.0


def journal_ahead(bench: Bench) -> None:
    """More on paper than was given."""
    bench.control.journal["mu"][0] = 21.0


def one_back(bench: Bench) -> None:
    """Chamber 1 forgets a MU."""
    bench.plant.chambers["counter_mu"][0] -= 1.0


def dead_leaf(bench: Bench) -> None:
    """Its encoders tell the truth."""
    bench.plant.mlc["moves"][3] = 0.0


def other_arms(bench: Bench) -> None:
    """The kV source stands 30 mm off, and both its encoders are off by as much."""
    bench.plant.kv_arms["bias"][0] = bench.plant.kv_arms["bias_2"][0] = 30.0


def shove(mm: float) -> Do:
    """The couch is elsewhere, at once."""
    def do(bench: Bench) -> None:
        bench.plant.couch["position"][0] += mm
    return do


def false_scale(bench: Bench) -> None:
    """Both encoders of the couch say half of the way."""
    bench.plant.couch["scale"][:3] = bench.plant.couch["scale_2"][:3] = 0.5


def old_image(bench: Bench) -> None:
    """Whoever approves is shown nothing of the newest acquisition."""
    desk = bench.suite.imaging
    desk.images.append(replace(desk.images[-1], cycle=desk.approvals[-1].cycle - 1, uids=("later",)))


CANARIES: dict[str, Canary] = {
    "SI-01": Canary("a hold that the trigger does not hear", both(plant("beam", stuck_on=1.0), plant("safety", dead=63), held),
                    at_mu=5.0,
                    rows=("BEAM_STUCK", "RAD_WHEN_OFF", "PERMIT_DIS")),
    "SI-02": Canary("the trigger goes on without a permit", both(plant("beam", stuck_on=1.0), plant("safety", dead=63)), at_mu=5.0,
                    rows=ALL),
    "SI-03": Canary("the session changes under the beam", job(session=4711), at_mu=5.0, rows=("SESSION_ID",)),
    "SI-05": Canary("all chambers read a tenth too little", plant("chambers", gain=0.9), rows=ALL),
    "SI-06": Canary("the channel's own comparator is dead", both(plant("safety", dead=63), plant("chambers", gain=(0.5, 0.5, 1.0))),
                    at_mu=5.0, rows=ALL),
    "SI-07": Canary("nobody compares the chambers", plant("chambers", gain=(1.0, 0.6, 1.0)), at_mu=5.0, rows=ALL),
    "SI-08": Canary("nobody looks at the dose rate", plant("beam", pulse_factor=2.0, pulse_limit=9.0), at_mu=5.0, rows=ALL),
    "SI-09": Canary("the timer stands still, the beam crawls",
                    both(plant("beam", pulse_factor=0.1), plant("safety", timer_rate=0.0)), at_mu=5.0, rows=ALL),
    "SI-10": Canary("nobody looks at the energy", plant("beam", energy_factor=1.05), rows=("ENERGY", "DOSE_RATE_HI", "PULSE_HIGH")),
    "SI-11": Canary("an edit under the beam is not noticed", job(prescription=4711), at_mu=5.0, rows=("RX_HASH", "RX_CHANGED")),
    "SI-12": Canary("nobody is missed when the controller answers no more", both(job(radiating=1), plant("safety", dead=63)),
                    at_mu=5.0, rows=ALL, every=True),
    "SI-13": Canary("nobody looks at the age of readings", plant("nodes", silent=1.0), at_mu=5.0, rows=ALL),
    "SI-14": Canary("a self-test that leaves one check out", plant("safety", passed=31), every=True,
                    rows=("SELFTEST", "DOSE_SELFTEST")),
    "SI-15": Canary("a counter that falls back is not noticed", one_back, at_mu=10.0, rows=ALL),
    "SI-16": Canary("a couch that sinks is not noticed", plant("couch", creep=(0.0, 0.0, -3.0, 0.0, 0.0, 0.0)), at_s=2.0, rows=ALL),
    "SI-17": Canary("worn brakes", plant("gantry", brake_dt=0.02), order=turning(script=[Act("press_estop", "ben", at_s=12.0)])),
    "SI-18": Canary("the gantry may go twice as fast as it should", plant("gantry", slides=15.0), at_s=4.0, order=turning(),
                    rows=ALL),
    "SI-19": Canary("nobody looks at the clearance", plant("collision", head_near_mm=50.0), order=turning(), rows=("COLLISION",)),
    "SI-20": Canary("nobody looks at the leaves", dead_leaf, at_mu=5.0, order=window, rows=ALL),
    "SI-21": Canary("both encoders of the gantry are off by 5 deg", plant("gantry", bias=5.0, bias_2=5.0), order=arc, rows=ALL),
    "SI-26": Canary("latches that forget", forgetful, at_mu=5.0, every=True, rows=("LATCH_DIS",)),
    "SI-27": Canary("the last row is not looked at", last_row_forgotten, at_mu=5.0),
    "SI-28": Canary("a trip stops the beam, and nothing is written down", both(touchy, speechless), at_mu=5.0, every=True),
    "SI-29": Canary("rows trip and mean nothing", both(harmless, plant("chambers", hv_v=0.0)), at_mu=5.0),
    "SI-30": Canary("the record is ahead of truth", journal_ahead, at_mu=5.0, every=True),
    "LV-2": Canary("a session that is given too little time", lambda bench: None, at_s=1.0,
                   order=lambda: order_for(quick(), longest_s=8.0)),
    "LV-3": Canary("no limit of time is kept", patience, at_s=3.0),
    "LV-1": Canary("a limit that nobody can keep", touchy, at_mu=5.0),
    "SI-04": Canary("nobody looks where the couch is", shove(5.0), at_mu=2.0, order=guided, guided=True, rows=ALL),
    "SI-22": Canary("images from the wrong place", other_arms, order=guided, guided=True, rows=ALL),
    "SI-23": Canary("an older image is approved", old_image, at_mu=2.0, order=guided, guided=True),
    "SI-24": Canary("the couch goes twice as far as it says", false_scale, at_s=1.0, order=unverified, guided=True, rows=ALL),
    "SI-25": Canary("an approval that outlives a couch move", shove(5.0), at_mu=2.0, order=guided, guided=True, rows=ALL),
}
