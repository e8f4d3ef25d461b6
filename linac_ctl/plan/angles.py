"""Circular angles to a path on a line. The rotation direction gives the way, not the shorter way (PS3.3 C.8.8.14.8)."""

from collections.abc import Sequence

from linac_ctl.errors import LinacError

CLOCKWISE, COUNTER, NONE = "CW", "CC", "NONE"
DIRECTIONS = {"CW": CLOCKWISE, "CC": COUNTER, "CCW": COUNTER, "NONE": NONE, "": NONE}
GANTRY_REACH_DEG = 185.0
HALF_TURN_DEG = 180.0


class TurnError(LinacError):
    """Angles and directions do not make one path; `point` is the control point at fault."""

    def __init__(self, point: int, problem: str) -> None:
        super().__init__(problem)
        self.point = point


def signed(angle_deg: float) -> float:
    """The same direction within (-180, 180] deg, on the 0.001 deg grid."""
    turned = round(angle_deg * 1000.0) % 360000
    return (turned - 360000 if turned > 180000 else turned) / 1000.0


def unwrap(angles_deg: Sequence[float], directions: Sequence[str], reach_deg: float) -> list[float]:
    """A continuous path within +/- reach_deg; CW rises. 180 deg alone is +180.

    Args: n angles as the plan writes them; n directions, each for the way to the next control point.
    """
    path = [0]
    for i in range(len(angles_deg) - 1):
        path.append(path[-1] + _step(angles_deg[i], angles_deg[i + 1], directions[i], i))
    first = round(signed(angles_deg[0]) * 1000.0)
    reach = round(reach_deg * 1000.0)
    start = min((first, first - 360000, first + 360000), key=lambda s: _farthest(s, path))
    if _farthest(start, path) > reach:
        worst = max(range(1, len(path)), key=lambda i: abs(path[i] - path[i - 1]))
        raise TurnError(
            worst - 1,
            f"path of {(max(path) - min(path)) / 1000.0:g} deg from {angles_deg[0]:g} deg does not "
            f"fit within +/-{reach_deg:g} deg; its longest step is "
            f"{(path[worst] - path[worst - 1]) / 1000.0:g} deg",
        )
    return [(start + p) / 1000.0 for p in path]


def _farthest(start: int, path: Sequence[int]) -> int:
    return max(abs(start + min(path)), abs(start + max(path)))


def _step(here_deg: float, there_deg: float, direction: str, point: int) -> int:
    """Thousandths of a degree from one control point to the next."""
    forward = (round(there_deg * 1000.0) - round(here_deg * 1000.0)) % 360000
    if forward == 0:
        return 0
    if direction == NONE:
        raise TurnError(point, f"no direction of rotation, but the angle goes from {here_deg:g} to {there_deg:g} deg")
    return forward if direction == CLOCKWISE else forward - 360000
