"""From an action on a wire to rows of the compiled table."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from device_models.disturb.wire import keys, new_wires
from device_models.disturb.words import Word, Words
from device_models.faults.action import Action, Link, Wire
from device_models.faults.behaviour import WITH_MEMORY, Behaviour
from device_models.faults.errors import FaultError

RING = 16  # frames that a stuttering link may lag behind
CORRUPT_BITS = 16
WAYS = {"in": (False,), "out": (True,), "both": (False, True)}


@dataclass(slots=True)
class Rows:
    """Of one fault: WIRE (1,) each, and the past that they need: what the wires say now, until more is known."""

    out: list[Any] = field(default_factory=list)
    back: list[Any] = field(default_factory=list)
    past: list[float] = field(default_factory=list)


def rows_of(words: Words, seed: int, name: str, actions: tuple[Action, ...], index: int, first_ring: int) -> Rows:
    """All disturbed wires of fault `name`, which is number `index`; its past begins at `first_ring`."""
    rows, silent = Rows(), silenced(words, actions)
    for k, action in enumerate(actions):
        found, table = wires(words, seed, name, k, action)
        now, sizes = np.array([words.get(word) for word in found], float), table["ring_size"]
        table["fault"], table["ring"] = index, first_ring + len(rows.past) + np.cumsum(sizes) - sizes
        table["noise"] = [0.0 if word.path in silent else words.noise_of(word) for word in found]
        table["bound"] = [words.bound_of(word) for word in found]
        table["clean"] = table["said"] = now
        rows.past += np.repeat(now, sizes).tolist()
        out = np.array([word.out for word in found], bool)
        rows.out.append(table[out])
        rows.back.append(table[~out])
    return rows


def silenced(words: Words, actions: tuple[Action, ...]) -> frozenset[str]:
    """Readings of axes that both say the same again and again: that they tremble no more is more than noise."""
    still = {word.path for action in actions if isinstance(action, Wire) and action.behaviour in (Behaviour.FREEZE, Behaviour.DROP)
             for word in words.find(action.path)}
    axes = {path.removesuffix(".readback") for path in still if f"{path}_2" in still}
    return frozenset(f"{axis}.{name}" for axis in axes for name in ("readback", "readback_2"))


def wires(words: Words, seed: int, name: str, k: int, action: Action) -> tuple[list[Word], Any]:
    """One action's words and WIRE (n,); wires of one frame share their draws, and so their fate."""
    if isinstance(action, Wire):
        found = list(words.find(action.path))
        return found, table_of(words, found, action, [keys(seed, f"{name}/{k}/{word.path}") for word in found])
    if isinstance(action, Link):
        frame = Wire("", action.behaviour, CORRUPT_BITS, 0.0, action.cycles, action.chance)
        drawn = {out: keys(seed, f"{name}/{k}/{out}") for out in WAYS[action.way]}
        found = [word for word in words.wires(action.device) if word.out in drawn]
        return found, table_of(words, found, frame, [drawn[word.out] for word in found])
    return [], new_wires(0)


def table_of(words: Words, found: list[Word], action: Wire, drawn: list[tuple[int, int]]) -> Any:
    """WIRE (n,); FaultError for what one of these wires cannot say."""
    table, kind = new_wires(len(found)), action.behaviour
    if kind is Behaviour.NAN and (whole := next((word for word in found if word.whole), None)):
        raise FaultError(f"{whole.path}: holds whole numbers, and there is none that is no number; use off or freeze")
    for column, values in (("part", [word.part for word in found]), ("word", [word.word for word in found]),
                           ("whole", [int(word.whole) for word in found]), ("behaviour", int(kind)), ("size", action.size),
                           ("size_2", action.size_2), ("chance", action.chance), ("ring_size", past(kind, action.cycles)),
                           ("key", [key for key, _ in drawn]), ("key_2", [key for _, key in drawn])):
        table[column] = values
    if kind is Behaviour.CORRUPT and action.size == 0.0:
        table["size"] = CORRUPT_BITS
    for row, word in zip(table, found) if action.other or kind is Behaviour.LIE else ():
        borrow(words, row, word, action)
    return table


def past(kind: Behaviour, cycles: int) -> int:
    """So many values are remembered."""
    if kind is Behaviour.DUPLICATE:
        return max(RING, cycles)
    return cycles + 1 if kind is Behaviour.DELAY else cycles if kind in WITH_MEMORY else 0


def borrow(words: Words, row: Any, word: Word, action: Wire) -> None:
    """SWAP names another wire; LIE takes the setpoint of the same axis, where there is one."""
    other = action.other
    if action.behaviour is Behaviour.LIE and "readback" in word.path:
        other = word.path.rpartition(".")[0] + ".setpoint"
    if other:
        found = words.one(other)
        row["other_part"], row["other_word"], row["other_whole"] = found.part, found.word, int(found.whole)
