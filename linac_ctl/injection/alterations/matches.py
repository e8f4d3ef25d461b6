"""Matches, orders and approvals that are wrong, foreign, late or early: the imaging desk behind a thin coat."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from linac_ctl.sequencer.approve import Approve
from linac_ctl.sequencer.session import Session

from .altered import Altered, Settings, done
from .console import attempt, when

if TYPE_CHECKING:
    from linac_ctl.app import Simulation
    from linac_ctl.imaging.couch_shift import CouchOrder
    from linac_ctl.imaging.match import Match
    from linac_ctl.sequencer.images import ImageSet

VERTEBRA_MM = 28.0


class Desk:
    """The imaging desk; `matched` and `ordered` see what comes out of it. All else is the desk inside."""

    def __init__(self, inner: Any) -> None:
        self.__dict__.update(inner=inner, matched=None, ordered=None, register_instead=None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            self.__dict__[name] = value
        else:
            setattr(self.inner, name, value)

    def register(self, images: "ImageSet", plan_uid: str, patient_id: str) -> "Match":
        """As inside, then whatever is wrong with it; the list of matches shows what was handed out."""
        if self.register_instead is not None:
            self.register_instead(images)
        match: Match = self.inner.register(images, plan_uid, patient_id)
        if self.matched is not None:
            match = self.inner.matches[-1] = self.matched(match)
        return match

    def order(self, match: "Match") -> "CouchOrder":
        """As inside, then whatever is wrong with it."""
        order: CouchOrder = self.inner.order(match)
        return order if self.ordered is None else cast("CouchOrder", self.ordered(order))


def desk(sim: "Simulation") -> Desk | None:
    """The coat of this session's desk; put on when it is needed first. None without imaging."""
    if sim.suite.imaging is None:
        return None
    if not isinstance(sim.suite.imaging, Desk):
        object.__setattr__(sim.suite, "imaging", Desk(sim.suite.imaging))
    return cast(Desk, sim.suite.imaging)


def with_matches(sim: "Simulation", change: Callable[["Match"], "Match"]) -> Altered:
    """Every match from now on."""
    it, altered = desk(sim), Altered()
    if it is None:
        return altered

    def changed(match: "Match") -> "Match":
        made = change(match)
        if made is not match:
            altered.mark(sim.engine.cycle + 1)
        return made

    it.matched = changed
    altered.undo = lambda: setattr(it, "matched", None)
    return altered


def wrong_optimum(sim: "Simulation", given: Settings) -> Altered:
    """The registration has found another place: along the spine (vertebra), across it (couch_edge), or any (local_min)."""
    mm, deg, kind = float(given["err_mm"]), float(given["err_deg"]), str(given["kind"])
    way = {"vertebra": (0.0, mm, 0.0), "couch_edge": (0.0, 0.0, -mm), "local_min": (0.6 * mm, 0.0, 0.8 * mm)}[kind]
    left = [int(given["times"])]

    def change(match: "Match") -> "Match":
        if left[0] <= 0:
            return match
        left[0] -= 1
        six: Any = tuple(round(a + b, 3) for a, b in zip(match.error, (*way, 0.0, 0.0, deg)))
        return replace(match, error=six)

    return with_matches(sim, change)


class RegistrationFailed(ArithmeticError):
    """What a registration may raise that nobody thought of."""


def no_match(sim: "Simulation", given: Settings) -> Altered:
    """The registration says nothing usable: not a number, without end, nothing, or it raises."""
    kind, it = str(given["kind"]), desk(sim)
    if it is None:
        return Altered()
    if kind in ("nan", "inf"):
        bad: Any = (float(kind),) * 6
        return with_matches(sim, lambda match: replace(match, error=bad))
    altered = Altered()

    def fail(images: "ImageSet") -> None:
        altered.mark(sim.engine.cycle + 1)
        raise FAILURES[kind]()

    it.register_instead = fail
    altered.undo = lambda: setattr(it, "register_instead", None)
    return altered


FAILURES: dict[str, Callable[[], Exception]] = {
    "timeout": lambda: TimeoutError("registration: no answer"), "empty": lambda: IndexError("registration: no result"),
    "exception": lambda: RegistrationFailed("registration: singular"),
}


def late_match(sim: "Simulation", given: Settings) -> Altered:
    """What is handed over as the match of new images is that of the images before, still under way from then."""
    it = desk(sim)
    before = [] if it is None else list(it.matches)

    def change(match: "Match") -> "Match":
        before.append(match)
        return before[-2] if len(before) > 1 else match

    return with_matches(sim, change)


def foreign(sim: "Simulation", given: Settings) -> Altered:
    """The images, the reference CT or the plan of the match are another patient's."""
    it, swap = desk(sim), str(given["swap"])
    if it is None:
        return Altered()
    inner, before = it.inner, it.inner.planning
    if swap == "plan":
        from .entries import other_plan

        return other_plan(sim, {"kind": "plan"})
    if swap == "patient":
        uids = ("1.2.826.0.1.3680043.10.1.9",)
        return with_matches(sim, lambda match: replace(match, binding=replace(match.binding, image_uids=uids)))
    inner.planning = replace(before, patient_id=f"{before.patient_id}-2", series_uid=f"{before.series_uid}.2")
    return done(sim, lambda: setattr(inner, "planning", before))


APPLIED = ("step ShiftCouch", "shift approved")  # after these the order is applied; before, it is shown
SHIFTS: dict[str, Callable[[tuple[float, ...]], tuple[float, ...]]] = {
    "sign": lambda d: tuple(-v for v in d),
    "axis_swap": lambda d: (d[1], d[0], *d[2:]),
    "mm_cm": lambda d: (*(10.0 * v for v in d[:3]), *d[3:]),
    "deg_rad": lambda d: (*d[:3], *(v / 57.29578 for v in d[3:])),
    "convention": lambda d: (d[0], -d[1], -d[2], *d[3:]),
}


def wrong_order(sim: "Simulation", given: Settings) -> Altered:
    """The way of the couch is shown and approved as it should be, and applied otherwise: sign, axes or units."""
    it, altered, change = desk(sim), Altered(), SHIFTS[str(given["kind"])]
    if it is None:
        return altered

    def ordered(order: "CouchOrder") -> "CouchOrder":
        from linac_ctl.imaging.couch import CouchPosition

        if sim.events[-1].what not in APPLIED:
            return order
        six = tuple(round(a + b, 3) for a, b in zip(order.taken_at.six, change(order.shift)))
        if six != order.targets.six:
            altered.mark(sim.engine.cycle + 1)
        return replace(order, targets=CouchPosition(*six))

    it.ordered = ordered
    altered.undo = lambda: setattr(it, "ordered", None)
    return altered


def approve_at(sim: "Simulation", given: Settings) -> Altered:
    """Somebody presses approve: before there is a match, while it is made, for images that are no longer the latest, or twice."""
    altered, kind = Altered(), str(given["when"])
    old: list[Session] = []

    def press() -> None:
        altered.mark(sim.engine.cycle + 1)
        session = old[0] if kind == "after_new_image" and old else sim.session
        attempt(sim, "approve pressed", lambda: Approve(0.0).run(sim.suite, session), altered)

    def ripe() -> bool:
        session = sim.session
        if session.match is not None and session.decision is not None and not old:
            old.append(session)
        taken = [] if sim.suite.imaging is None else sim.suite.imaging.images
        return {"before_result": session.match is None, "during_result": session.images is not None and session.match is None,
                "after_new_image": bool(old) and taken[-1] is not old[0].images,
                "twice": session.approval is not None}[kind]

    when(sim, ripe, press, altered)
    return altered


ALTERATIONS = {
    "wrong_optimum": wrong_optimum, "no_match": no_match, "late_match": late_match, "foreign": foreign, "wrong_order": wrong_order,
    "approve_at": approve_at,
}
