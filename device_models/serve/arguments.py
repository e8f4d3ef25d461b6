"""Arguments of a request, checked."""

from ..interface.wire.values import number
from .errors import Code, Refused

Args = tuple[str, ...]


def none(args: Args) -> None:
    """SYNTAX unless there are no arguments."""
    if args:
        raise Refused(Code.SYNTAX)


def only(args: Args, low: int, high: int) -> int:
    """The only argument, a whole number within limits."""
    value = number(args[0]) if len(args) == 1 else None
    if value is None or value != value:
        raise Refused(Code.SYNTAX)
    if not low <= value <= high:
        raise Refused(Code.LIMIT, f"low={low} high={high}")
    return int(value)


def word(args: Args) -> str:
    """The only argument, whatever it is."""
    if len(args) != 1:
        raise Refused(Code.SYNTAX)
    return args[0]
