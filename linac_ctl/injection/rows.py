"""From an action on a wire to rows of the compiled table."""

from dataclasses import dataclass, field
from typing import Any

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
    rows = Rows()
    for k, action in enumerate(actions):
        for word, row in wires(words, seed, name, k, action):
            row["fault"], row["ring"], row["noise"] = index, first_ring + len(rows.past), words.noise_of(word)
            row["clean"] = row["said"] = now = words.get(word)
            rows.past += [now] * int(row["ring_size"][0])
            (rows.out if word.out else rows.back).append(row)
    return rows


def wires(words: Words, seed: int, name: str, k: int, action: Action) -> list[tuple[Word, Any]]:
    """One action's; wires of one frame share their draws, and so their fate."""
    if isinstance(action, Wire):
        return [(word, wire_row(words, word, action, keys(seed, f"{name}/{k}/{word.path}"))) for word in words.find(action.path)]
    if isinstance(action, Link):
        frame = Wire("", action.behaviour, CORRUPT_BITS, 0.0, action.cycles, action.chance)
        return [(word, wire_row(words, word, frame, keys(seed, f"{name}/{k}/{word.out}")))
                for word in words.wires(action.device) if word.out in WAYS[action.way]]
    return []


def wire_row(words: Words, word: Word, action: Wire, key: tuple[int, int]) -> Any:
    """WIRE (1,); FaultError for what this wire cannot say."""
    if word.whole and action.behaviour is Behaviour.NAN:
        raise FaultError(f"{word.path}: holds whole numbers, and there is none that is no number; use off or freeze")
    row, kind = new_wires(1), action.behaviour
    row["part"], row["word"], row["whole"], row["behaviour"] = word.part, word.word, int(word.whole), int(kind)
    row["size"], row["size_2"], row["chance"] = action.size, action.size_2, action.chance
    if kind is Behaviour.CORRUPT and action.size == 0.0:
        row["size"] = CORRUPT_BITS
    row["ring_size"] = past(kind, action.cycles)
    row["key"], row["key_2"] = key
    borrow(words, row, word, action)
    return row


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
