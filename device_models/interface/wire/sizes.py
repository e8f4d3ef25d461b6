"""How long the lines of a unit can get, and how often they fit through a serial line: the budget worked out at connect."""

from collections.abc import Sequence

from .fields import MOST_APART, Unit, Value

BITS_PER_BYTE = 10  # 8N1
MOST_USED = 0.96  # of the line
LINE_END, FRAME = 2, 6 + 5  # CR LF; `<SS OK`, `*` with CRC
STATE_AND_FLAGS, CLOCK, EN = 5, 11, 2
WIDTH = {"switch": 2, "index": 4, "bits": 4, "ppm": 9, "mmu": 10, "mmu/s": 7, "ms": 9, "mdeg": 8}  # with the space before


def width(low: int, high: int) -> int:
    """Characters of the longest number in this range, with the space before it."""
    return max(len(str(low)), len(str(high))) + 1


def widths(values: Sequence[Value]) -> int:
    """As `width`, of all these values together."""
    return sum(WIDTH.get(value.unit, 12) for value in values)


def sizes(unit: Unit, limits: Sequence[tuple[int, int]] = ()) -> tuple[int, int]:
    """-> bytes of the longest `SV` and of its longest answer, line ends included. limits: of every axis, um or mdeg."""
    axes = len(limits)
    if unit.blocks:
        targets, answer = 3 + 4 * axes, 3 + 4 * axes + 3 + 4 * -(-2 * axes // 3)
    elif unit.axes:
        targets = sum(width(low, high) for low, high in limits)
        answer = targets + axes * width(-MOST_APART, MOST_APART)
    else:
        targets, answer = widths(unit.hears), widths(unit.says)
    return FRAME + EN + targets + LINE_END, FRAME + CLOCK + STATE_AND_FLAGS + answer + LINE_END


def highest_rate_hz(unit: Unit, limits: Sequence[tuple[int, int]], baud: int) -> float:
    """How often per second a request and its answer fit, each in its own direction."""
    return MOST_USED * baud / BITS_PER_BYTE / max(sizes(unit, limits))
