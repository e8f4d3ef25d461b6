"""Values that know where they were written: file, line and column, kept through parsing and merging."""

from dataclasses import dataclass
from typing import Any

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value and where it stands: a scalar, a dict of name to Sourced, or a list of Sourced."""

    value: "Scalar | dict[str, Sourced] | list[Sourced]"
    origin: Origin


def merge(parent: Sourced, child: Sourced) -> Sourced:
    """Child over parent: mappings are merged key by key, everything else (lists too) is replaced."""
    if not (isinstance(parent.value, dict) and isinstance(child.value, dict)):
        return child
    merged = dict(parent.value)
    for key, value in child.value.items():
        merged[key] = merge(merged[key], value) if key in merged else value
    return Sourced(merged, child.origin)


def plain(node: Sourced) -> Any:
    """The bare value: dict, list, str, int, float, bool or None."""
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain(value) for value in node.value]
    return node.value


def origins(node: Sourced, path: str = "") -> dict[str, Origin]:
    """Dotted path -> origin, for every value and every group of values; "" is the file itself."""
    found = {path: node.origin}
    prefix = f"{path}." if path else ""
    for key, value in children(node):
        found |= origins(value, f"{prefix}{key}")
    return found


def children(node: Sourced) -> list[tuple[str | int, Sourced]]:
    """(key or position, value) of everything directly inside."""
    if isinstance(node.value, dict):
        return list(node.value.items())
    return list(enumerate(node.value)) if isinstance(node.value, list) else []
