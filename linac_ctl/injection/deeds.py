"""Carries out what a fault does, between two cycles, and keeps how to undo it. Wires are in the tables; all else is here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from device_models.disturb.words import Word, Words
from device_models.faults.action import Act, Action, Alter, Line, Memory, Process, Ramp, Write
from device_models.hands import ROOM_ACTS
from device_models.interface.image import DT_S

from ..errors import FaultScheduleError
from ..runtime.disturbed import Disturbed
from .alterations import ALTERATIONS
from .held import Held, Holder
from .live import Live
from .memory import flip, place

if TYPE_CHECKING:
    from ..app import Simulation


class Deeds:
    """`blocks` has the tables and the twins of this run."""

    def __init__(self, sim: "Simulation", words: Words, blocks: Disturbed) -> None:
        self.sim, self.words, self.blocks = sim, words, blocks
        self._found: dict[str, tuple[Word, ...]] = {}
        self.held = Held()

    def found(self, path: str) -> tuple[Word, ...]:
        """All words of a path, looked up when it is asked for first: when its fault is armed."""
        if path not in self._found:
            self._found[path] = self.words.find(path)
        return self._found[path]

    def do(self, live: Live, action: Action) -> None:
        """Now; acts in the next cycle."""
        match action:
            case Write():
                for word in self.found(action.path):
                    self._write(live, word, action.value)
            case Ramp():
                self._ramp(live, action)
            case Memory():
                if flip(self.sim.control, self.sim.order.table, action):
                    live.counts_since(self._next)
            case Process():
                self._process(live, action)
            case Act():
                self._act(live, action)
            case Line():
                self._line(live, action)
            case Alter():
                self._alter(live, action)

    @property
    def _next(self) -> int:
        return self.sim.engine.cycle + 1

    def own(self, live: Live) -> frozenset[str]:
        """Paths of the words of the plant that this fault writes: its twin does not follow them."""
        paths = [word.path for a in live.actions if isinstance(a, Write | Ramp) for word in self.found(a.path)]
        acts = [f"plant.room[0].{ROOM_ACTS[a.do][0]}" for a in live.actions if isinstance(a, Act) and a.do in ROOM_ACTS]
        return frozenset(paths + acts)

    def _write(self, live: Live, word: Word, value: float) -> None:
        holder = self.held.take(spot(word), self.words.get(word), value)
        self._put(live, word, value)
        live.undo.append(lambda: self._give_back(live, word, holder))

    def _give_back(self, live: Live, word: Word, holder: Holder) -> None:
        """As it was; or as the latest of the others wants it that still hold it."""
        value, _ = self.held.release(spot(word), holder)
        if value is not None:
            self._put(live, word, value)

    def _put(self, live: Live, word: Word, value: float) -> None:
        """To the plant, and to the twins that are without some other fault."""
        self.words.put(word, value)
        for name, twin in self.blocks.twins.items():
            if name != live.fault.id:
                twin.write(word, value)

    def _ramp(self, live: Live, action: Ramp) -> None:
        ramps = self.blocks.disturbance.ramps
        i = next(i for i in range(len(ramps)) if not ramps["left"][i])
        word, n = self.words.one(action.path), max(1, round(action.seconds / DT_S))
        before = self.words.get(word)
        holder = self.held.take(spot(word), before, None)
        for name, value in {"part": word.part, "word": word.word, "left": n, "target": action.value,
                            "step": (action.value - before) / n}.items():
            ramps[name][i] = value
        self.blocks.ramps[i] = live.fault.id, word

        def undo() -> None:
            if self.blocks.ramps.get(i, ("",))[0] == live.fault.id:  # or another fault has had this row since
                ramps["left"][i] = 0
                del self.blocks.ramps[i]
            self._give_back(live, word, holder)

        live.undo.append(undo)

    def _process(self, live: Live, action: Process) -> None:
        state: Any = self.blocks.disturbance.state
        if action.kind == "skip_check":
            self._hold(live, "skip_row", state["skip_row"][0], self.sim.linac.panel.find(action.row), self._set_state)
        else:
            self._hold(live, "alive", state["alive"][0], 0, self._set_state)
            if action.kind == "kill" or (live.fault.lasts.permanent and not live.away_cycles):
                self._hold(live, "dead", 0, 1, lambda _, value: setattr(self.blocks, "dead", bool(value)))
        live.counts_since(self._next)

    def _set_state(self, name: str, value: int) -> None:
        """Of the controller's process."""
        self.blocks.disturbance.state[name] = value

    def _hold(self, live: Live, name: str, now: int, value: int, put: Callable[[str, int], None]) -> None:
        """Until the fault ends, and no other holds it."""
        holder = self.held.take(name, float(now), float(value))
        put(name, value)

        def undo() -> None:
            left, _ = self.held.release(name, holder)
            if left is not None:
                put(name, int(left))

        live.undo.append(undo)

    def _act(self, live: Live, action: Act) -> None:
        hands = self.sim.staff.hands
        if action.do not in ROOM_ACTS:
            hands.do(action.do)
            live.counts_since(self._next)  # a wire of the console, which no twin has
            if action.undo:
                live.undo.append(lambda: hands.do(action.undo))
            return
        name, value = ROOM_ACTS[action.do]
        word = self.words.one(f"plant.room.{name}")
        holder = self.held.take(spot(word), self.words.get(word), value)
        hands.do(action.do)

        def undo() -> None:
            left, alone = self.held.release(spot(word), holder)
            if alone and action.undo:
                hands.do(action.undo)
            elif left is not None and not alone:
                self._put(live, word, left)

        live.undo.append(undo)

    def _line(self, live: Live, action: Line) -> None:
        assert self.sim.hardware is not None
        stream = self.sim.hardware.disturbed[action.device]
        stream.set(action.fault)
        had = stream.acted[action.fault]
        self.blocks.watch.setdefault(live.fault.id, []).append(lambda: bool(stream.acted[action.fault] > had))
        live.undo.append(lambda: stream.clear(action.fault))

    def complain(self, action: Action) -> None:
        """What cannot be done is refused when it is asked for, not when its moment has come."""
        if isinstance(action, Write | Ramp):
            self.found(action.path)
        if isinstance(action, Memory):
            place(self.sim.control, self.sim.order.table, action.path)
        hardware = self.sim.hardware
        if isinstance(action, Line) and (hardware is None or action.device not in hardware.urls):
            raise FaultScheduleError(f"{action.device} is behind no real line in this session; give it one with "
                                     f"--link {action.device}=pty:")

    def _alter(self, live: Live, action: Alter) -> None:
        if action.kind not in ALTERATIONS:
            return  # done when the session was loaded
        altered = ALTERATIONS[action.kind](self.sim, action.settings)
        live.altered.append(altered)
        live.undo.append(altered)


def spot(word: Word) -> tuple[int, int]:
    """Where it is, whatever it was called."""
    return word.part, word.word
