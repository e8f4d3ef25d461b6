"""Refusals of the wire protocol."""

from enum import IntEnum


class Code(IntEnum):
    """Number of a refusal; its word is the name in lower case."""

    SYNTAX = 1
    VERB = 2
    LIMIT = 3
    STATE = 4
    UNARMED = 5
    SESSION = 6
    MODE = 7


class Refused(Exception):
    """A valid line that asks for what will not be done."""

    def __init__(self, code: Code, more: str = "") -> None:
        super().__init__(f"{int(code)} {code.name.lower()}{' ' if more else ''}{more}")
