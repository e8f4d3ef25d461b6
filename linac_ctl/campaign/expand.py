"""A campaign file becomes cases: a pure function of the file and the catalogue, the same cases in the same order every time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from ..errors import ConfigError
from . import draw
from .case import Case, FaultData, Labels, Part, case_id, schedule_text
from .config import PHASES, Axes, CampaignConfig, GridConfig, PairsConfig, SessionChoice, SwarmConfig
from .cover import covered
from .faults import fault, lasts_label, moment
from .modes import Catalogue, chosen, phases_of

COINCIDE = 0.25  # share of a swarm's faults that begin in the very cycle of the one before
Draft = tuple[SessionChoice, int, tuple[FaultData, ...], Labels]  # session, seed, faults, labels


def static_cases(config: CampaignConfig, catalogue: Catalogue) -> Iterator[Case]:
    """Everything but a guided search, whose later generations depend on how the earlier ones went."""
    writer = Writer(config)
    if config.fault_free:
        yield from writer.part("fault_free", _fault_free(config))
    if config.grid:
        yield from writer.part("grid", _grid(config, config.grid, catalogue))
    if config.pairs:
        yield from writer.part("pairs", _pairs(config, config.pairs, catalogue))
    if config.swarm:
        yield from writer.part("swarm", _swarm(config, config.swarm, catalogue))


@dataclass(slots=True)
class Writer:
    """Numbers the cases of a campaign, leaves out what there was already, adds those that are done twice."""

    config: CampaignConfig
    position: int = 0

    def part(self, part: Part, drafts: Iterator[Draft]) -> Iterator[Case]:
        """Cases of one part, at its end the twins of some of them."""
        seen: set[str] = set()
        twins: list[Case] = []
        for session, seed, faults, labels in drafts:
            case = self._case(part, session, seed, faults, labels)
            if case.id in seen:
                continue
            seen.add(case.id)
            twins += self._twins(case)
            yield self._numbered(case)
        for case in twins:
            yield self._numbered(case)

    def _case(self, part: Part, session: SessionChoice, seed: int, faults: tuple[FaultData, ...], labels: Labels) -> Case:
        name = case_id(session.session, session.workflow, session.machine, seed, faults)
        way = "fork" if self.config.fork and faults else "whole"
        return Case(0, name, part, session.session, seed, schedule_text(faults, name), labels, session.workflow, session.machine,
                    way)  # type: ignore[arg-type]  # mypy takes the conditional for a str

    def _twins(self, case: Case) -> Iterator[Case]:
        if draw.share(self.config.seed, "repeat", case.id) < self.config.repeat:
            yield replace(case, id=f"{case.id}r", twin_of=case.id)
        if case.way == "fork" and draw.share(self.config.seed, "fork_check", case.id) < self.config.fork_check:
            yield replace(case, id=f"{case.id}w", twin_of=case.id, way="whole")

    def _numbered(self, case: Case) -> Case:
        self.position += 1
        return replace(case, position=self.position - 1)


def _fault_free(config: CampaignConfig) -> Iterator[Draft]:
    assert config.fault_free
    for session in config.sessions:
        for seed in range(config.seeds[0], config.seeds[0] + config.fault_free.runs):
            yield session, seed, (), Labels()


def _grid(config: CampaignConfig, axes: GridConfig, catalogue: Catalogue) -> Iterator[Draft]:
    modes = chosen(catalogue, axes.modes)
    for session in config.sessions:
        for seed in config.seeds:
            for mode in modes:
                yield from _singles(config, axes, session, seed, mode)


def _singles(config: CampaignConfig, axes: GridConfig, session: SessionChoice, seed: int, mode: Any) -> Iterator[Draft]:
    """One mode: every size of it at the same moments, so that sizes can be compared."""
    for phase in (phase for phase in phases_of(mode, axes.phases) if session.visits(phase)):
        for k, lasts in enumerate(axes.lasts):
            when = moment(axes, phase, config.seed, "grid", mode.id, phase, k, session.session, seed)
            first = draw.number(0, 999, config.seed, "turn", mode.id, phase, k)
            for i, size in enumerate(axes.sizes):
                labels = Labels(mode.id, phase, f"{size:g}", lasts_label(lasts))
                yield session, seed, (fault("f1", mode, size, first + i, when, lasts),), labels


@dataclass(frozen=True, slots=True)
class Couple:
    """Two modes, and the phases in which both can be; or the one of each, where they have none in common."""

    first: Any
    second: Any
    phases: tuple[str, ...]
    second_phase: str | None = None


def _couples(config: CampaignConfig, axes: PairsConfig, catalogue: Catalogue) -> list[Couple]:
    """Every two modes. Those that no session visits both phases of are left out."""
    visited = [phase for phase in axes.phases or PHASES if any(s.visits(phase) for s in config.sessions)]
    found = []
    for a, b in combinations(chosen(catalogue, axes.modes), 2):
        own, others = phases_of(a, tuple(visited)), phases_of(b, tuple(visited))
        if common := [phase for phase in own if phase in others]:
            found.append(Couple(a, b, tuple(common)))
        else:
            found += apart(config, a, b, own, others)
    return found


def apart(config: CampaignConfig, a: Any, b: Any, own: list[str], others: list[str]) -> list[Couple]:
    """Each in a phase of its own, in one session: what lies hidden until the other comes."""
    able = ((one, other) for one in own for other in others if any(s.visits(one) and s.visits(other) for s in config.sessions))
    return [Couple(a, b, (one,), other) for one, other in able][:1]


def _pairs(config: CampaignConfig, axes: PairsConfig, catalogue: Catalogue) -> Iterator[Draft]:
    couples = _couples(config, axes, catalogue)
    if not couples:
        raise ConfigError(f"campaign {config.name}: pairs: fewer than two modes with a phase that a session visits; widen `modes`, "
                          "`phases` or `sessions`")
    relations = axes.relations if axes.every == "pair_and_relation" else (None,)
    fixed: list[tuple[Couple, str | None]] = [
        (couple, relation) for couple in couples for relation in (relations if couple.second_phase is None else ("apart",))]
    fixed = _spread(fixed, axes.runs)
    free = tuple(axes.relations)
    columns: list[list[Any]] = [
        [(relation,) if relation else free for _, relation in fixed], [couple.phases for couple, _ in fixed],
        *([values] * len(fixed) for values in (axes.gap_s, axes.sizes, axes.sizes, tuple(range(len(axes.lasts))),
                                               tuple(range(len(axes.lasts))), config.seeds)),
    ]
    for couple, row in zip((c for c, _ in fixed), covered([(c.first.id, c.second.id) for c, _ in fixed], columns)):
        yield _pair(config, axes, couple, row[2:])


def _spread(items: list[Any], most: int | None) -> list[Any]:
    """At most so many, evenly from beginning to end."""
    if most is None or most >= len(items):
        return items
    return [items[k * len(items) // most] for k in range(most)]


def _pair(config: CampaignConfig, axes: PairsConfig, couple: Couple, row: tuple[Any, ...]) -> Draft:
    relation, phase, gap_s, size, size_2, lasts, lasts_2, seed = row
    session = next(s for s in config.sessions if s.visits(phase) and s.visits(couple.second_phase or phase))
    a, b = couple.first, couple.second
    key = (config.seed, "pairs", a.id, b.id, relation)
    when = second = moment(axes, phase, *key)
    if couple.second_phase is not None:
        second = moment(axes, couple.second_phase, *key, "second")
    elif relation == "after":
        second = when.later(gap_s)
    elif relation == "before":
        when = when.later(gap_s)
    turn = draw.number(0, 999, *key, "turn")
    faults = (fault("f1", a, size, turn, when, axes.lasts[lasts]), fault("f2", b, size_2, turn, second, axes.lasts[lasts_2]))
    labels = Labels(f"{a.id} {b.id}", phase, f"{size:g} {size_2:g}",
                    f"{lasts_label(axes.lasts[lasts])}, {lasts_label(axes.lasts[lasts_2])}", relation)
    return session, seed, faults, labels


def _swarm(config: CampaignConfig, axes: SwarmConfig, catalogue: Catalogue) -> Iterator[Draft]:
    modes = chosen(catalogue, axes.modes)
    for run in range(axes.runs):
        key = (config.seed, "swarm", run)
        session = draw.one(config.sessions, *key, "session")
        able = [mode for mode in modes if visited_phases(axes, session, mode)]
        if able:
            kinds = draw.some(able, draw.number(*axes.kinds, *key, "kinds"), *key, "which")
            faults = random_faults(axes, session, kinds, draw.number(*axes.faults, *key, "faults"), *key)
            yield session, draw.one(config.seeds, *key, "seed"), faults, labels_of(faults)


def visited_phases(axes: Axes, session: SessionChoice, mode: Any) -> list[str]:
    """Phases of a mode that are tried in this session."""
    return [phase for phase in phases_of(mode, axes.phases) if session.visits(phase)]


def random_faults(axes: Axes, session: SessionChoice, modes: list[Any], count: int, *key: object) -> tuple[FaultData, ...]:
    """So many faults of these modes, some of them in the same cycle."""
    found: list[FaultData] = []
    for k in range(count):
        one = random_fault(axes, session, draw.one(modes, *key, k, "mode"), f"f{k + 1}", *key, k)
        if found and draw.share(*key, k, "coincide") < COINCIDE:
            one = {**one, "when": found[-1]["when"]}
        found.append(one)
    return tuple(found)


def random_fault(axes: Axes, session: SessionChoice, mode: Any, name: str, *key: object) -> dict[str, Any]:
    """A fault of this mode, anywhere in what the axes allow."""
    phase = draw.one(visited_phases(axes, session, mode), *key, "phase")
    size = draw.between(min(axes.sizes), max(axes.sizes), *key, "size")
    return fault(name, mode, size, draw.number(0, 999, *key, "turn"), moment(axes, phase, *key, "moment"),
                 draw.one(axes.lasts, *key, "lasts"))


def labels_of(faults: tuple[FaultData, ...]) -> Labels:
    """Of any faults."""
    modes = " ".join(dict.fromkeys(str(one.get("mode", "")) for one in faults))
    first = faults[0]["when"] if faults else {}
    return Labels(modes, str(first.get("phase", "")), "", "", f"{len(faults)} faults")
