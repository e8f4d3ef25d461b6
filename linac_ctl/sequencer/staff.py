"""The people of an unattended run: who presses what, when, in which role. A scripted operator is a real operator."""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import RefusedError
from ..interlocks.panel import MAY_RESET, Panel
from ..interlocks.table import Role
from ..subsystems.linac import Linac

Person = tuple[str, Role]


class Hands(Protocol):
    """Physical acts in the room and at the console; the device side provides them."""

    def do(self, act: str) -> None:
        """One of `acts`; ValueError for any other."""

    def acts(self) -> tuple[str, ...]:
        """Names of what hands can do."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something somebody does at a moment: `at_s` of machine time, or `after_s` after an event such as "beam_on:1"."""

    do: str
    who: str
    at_s: float | None = None
    on: str | None = None
    after_s: float = 0.0
    reason: str = ""


def latched_before(latches: dict[str, dict[str, Any]], run: str) -> str:
    """What to say, and to do, about interlocks that an earlier run left latched."""
    ways = [f"linac-ctl interlocks reset {name} --run {run} --who NAME --role {latch.get('reset_role', 'engineer')} --reason WHY"
            for name, latch in sorted(latches.items())]
    return f"still latched: {', '.join(sorted(latches))}; look for the cause, then {'; '.join(ways)}"


class Staff:
    """Answers the sequencer's questions after a human reaction time, and plays the script."""

    def __init__(self, people: tuple[Person, ...], reaction_s: float, script: tuple[Act, ...], hands: Hands, log: object) -> None:
        self.people, self.reaction_s, self.script, self.hands = people, reaction_s, script, hands
        self.log = log
        self.waiting = [act for act in script if act.on is not None]  # each is done once, however often its event comes
        self._check_script()

    def _check_script(self) -> None:
        known, names = self.hands.acts(), [name for name, _ in self.people]
        for act in self.script:
            if act.do not in known:
                raise RefusedError(f"operator script: {act.do!r} is nothing hands can do; they can {', '.join(known)}")
            if act.who not in names:
                raise RefusedError(f"operator script: {act.who!r} is not on the staff; there are {', '.join(names)}")
            if (act.at_s is None) == (act.on is None):
                raise RefusedError(f"operator script: {act.do!r} needs either at_s or on, not both and not none")

    def start(self) -> None:
        """Arm the timed part of the script."""
        loop = asyncio.get_running_loop()
        for act in self.script:
            if act.at_s is not None:
                loop.call_at(act.at_s, self._perform, act)

    def hear(self, event: str) -> None:
        """Something happened that the script may be waiting for."""
        loop = asyncio.get_running_loop()
        for act in [act for act in self.waiting if act.on == event]:
            self.waiting.remove(act)
            loop.call_later(act.after_s, self._perform, act)

    def _perform(self, act: Act) -> None:
        self.hands.do(act.do)
        self._write(act.who, act.do, act.reason or "scripted")

    def _write(self, who: str, what: str, why: str = "", **more: object) -> None:
        self.log(who, what, why=why, role=dict(self.people).get(who, ""), **more)  # type: ignore[operator]

    def with_role(self, role: str, count: int = 1) -> tuple[str, ...]:
        """Names of people who may act in this role; RefusedError if there are too few."""
        names = tuple(name for name, has in self.people if has in MAY_RESET.get(role, (role,)))
        if len(names) < count:
            raise RefusedError(f"staff: {count} {role}(s) needed, {len(names)} here; nobody else may do this")
        return names[:count]

    async def confirm(self, what: str, role: str = "therapist", count: int = 1) -> tuple[str, ...]:
        """`count` different people agree, one after the other."""
        names = self.with_role(role, count)
        for name in names:
            await asyncio.sleep(self.reaction_s)
            self._write(name, f"confirm {what}")
        return names

    async def agree(self, what: str, roles: tuple[Role, ...]) -> tuple[str, ...]:
        """One different person for every role, in this order; RefusedError when one is missing."""
        chosen: list[str] = []
        for role in roles:
            fit = [name for name, has in self.people if has == role] + list(self.with_role(role))
            if not (free := [name for name in fit if name not in chosen]):
                raise RefusedError(f"staff: another {role} is needed to approve {what}; one person does not count twice")
            await asyncio.sleep(self.reaction_s)
            self._write(free[0], f"approve {what}")
            chosen.append(free[0])
        return tuple(chosen)

    async def act(self, do: str, role: str = "therapist", why: str = "") -> None:
        """Somebody does something with their hands."""
        (name,) = self.with_role(role)
        await asyncio.sleep(self.reaction_s)
        self.hands.do(do)
        self._write(name, do, why)

    async def clear(self, linac: Linac, patience_s: float = 120.0) -> list[str]:
        """Reset what may be reset once its cause is gone; -> what is left, each with the reason."""
        waited = 0.0
        while True:
            await linac.reset_channel()
            left = self._reset_all(linac.panel)
            if not left or waited >= patience_s:
                return left
            await asyncio.sleep(self.reaction_s)
            waited += self.reaction_s

    def _reset_all(self, panel: Panel) -> list[str]:
        left = []
        for trip in panel.active():
            if not trip.latched:
                continue
            try:
                (name,) = self.with_role(trip.reset_role)
                panel.reset(trip.id, who=name, role=dict(self.people)[name], reason="cause gone, machine looked at")
                self._write(name, f"reset {trip.id}", "cause gone, machine looked at", old="tripped", new="clear")
            except RefusedError as refusal:
                left.append(str(refusal))
        return left
