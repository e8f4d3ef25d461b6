"""YAML as it is read here: the scalars of YAML 1.2, no surprises, and a place in the file for every value.

`1e3` is a number, `12:30` and `no` are text, `010`, `.inf` and `.nan` are refused, and so are duplicate keys and tags.
"""

import math
import re
from typing import Any, ClassVar

import yaml

from ..errors import ConfigError
from .origin import Origin, Sourced

TAG = "tag:yaml.org,2002:"
MOST_VALUES = 50_000  # an alias bomb stops here; the largest machine has about 2,000
SCALARS = (  # tag, what a plain scalar looks like, the characters that it may start with
    ("null", r"|~|null|Null|NULL", ["", "~", "n", "N"]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("ambiguous", r"[-+]?0[0-9_]+|[-+]?[0-9]+(_[0-9]+)+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+0123456789.")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
)
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML has it: 15 times faster


class StrictComposer(Loader):  # type: ignore[misc]
    """Text to nodes, with our own idea of what a plain scalar is."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _tag, _pattern, _first in SCALARS:
    StrictComposer.add_implicit_resolver(TAG + _tag, re.compile(f"^(?:{_pattern})$"), _first)


class StrictDumper(yaml.SafeDumper):
    """Quotes exactly what `parse` would not read as text."""

    yaml_implicit_resolvers = StrictComposer.yaml_implicit_resolvers

    def serialize(self, node: yaml.Node) -> None:
        """One line a key at the top, however short."""
        if isinstance(node, yaml.MappingNode):
            node.flow_style = not node.value
        super().serialize(node)


def dump(data: Any) -> str:
    """YAML that `parse` reads as the same values."""
    return yaml.dump(data, Dumper=StrictDumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def parse(text: str, file: str) -> Sourced:
    """The mapping in `text`; ConfigError with one `file:line:column:` line per problem."""
    try:
        root = StrictComposer(text).get_single_node()
        if root is None:
            raise ConfigError(f"{file}:1:1: the file is empty; it needs at least `kind:` and `name:`")
        value = (reader := Reader(file)).read(root)
    except yaml.YAMLError as error:
        raise ConfigError(syntax_error(error, text, file)) from None
    except RecursionError:
        raise ConfigError(f"{file}:1:1: groups within groups hundreds deep; nothing here needs that") from None
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    if not isinstance(value.value, dict):
        raise ConfigError(f"{value.origin}: expected `name: value` lines at the top, not {kind_of(value)}")
    return value


def kind_of(node: Sourced) -> str:
    """For messages."""
    return "a list" if isinstance(node.value, list) else f"{node.value!r}"


def syntax_error(error: yaml.YAMLError, text: str, file: str) -> str:
    """One line for what PyYAML says on three."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # a character that YAML does not know
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        return f"{file}:{line}:1: a character that YAML does not allow ({error!s:.80})".replace("\n", " ")
    words = [getattr(error, "context", None), getattr(error, "problem", None)]
    message = ", ".join(word for word in words if word)
    lines = text.split("\n")
    if mark.line < len(lines) and "\t" in lines[mark.line]:
        message += "; the line holds a tab, indent with spaces"
    return f"{file}:{mark.line + 1}:{mark.column + 1}: {message}"


class Reader:
    """Nodes to values; collects every problem instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[str] = []
        self.count = 0
        self.open: list[yaml.Node] = []  # the nodes that we are inside of: an alias may not hold itself

    def place(self, node: yaml.Node) -> Origin:
        """Where a node begins."""
        return Origin(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def problem(self, node: yaml.Node, message: str) -> None:
        """Note one."""
        self.problems.append(f"{self.place(node)}: {message}")

    def read(self, node: yaml.Node, at: Origin | None = None) -> Sourced:
        """A node's value; `at` is the place to name for it (its key) if that is not its own."""
        self.count += 1
        at = at or self.place(node)
        if any(node is outer for outer in self.open) or self.count > MOST_VALUES:
            if self.count <= MOST_VALUES + 1:
                self.problem(node, "an alias that holds itself, or far too many values")
            return Sourced(None, at)
        if isinstance(node, yaml.ScalarNode):
            return Sourced(self.scalar(node), at)
        if node.tag not in (TAG + "map", TAG + "seq"):
            self.problem(node, f"the tag {node.tag!r} is not allowed here")
        self.open.append(node)
        value = self.mapping(node) if isinstance(node, yaml.MappingNode) else [self.read(item) for item in node.value]
        self.open.pop()
        return Sourced(value, at)

    def mapping(self, node: yaml.MappingNode) -> dict[str, Sourced]:
        """Keys are text and occur once; `<<: *anchor` fills in what is not written here."""
        found: dict[str, Sourced] = {}
        inherited: dict[str, Sourced] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, "a key must be a word, not a list or a group")
            elif key.tag == TAG + "merge":
                inherited |= self.merged(value)
            elif key.value in found:
                self.problem(key, f"{key.value!r} is written twice; first at line {found[key.value].origin.line}")
            else:
                found[key.value] = self.read(value, self.place(key))
        return {**inherited, **found}

    def merged(self, node: yaml.Node) -> dict[str, Sourced]:
        """What `<<` brings in."""
        value = self.read(node).value
        if isinstance(value, dict):
            return value
        self.problem(node, "`<<` takes one mapping")
        return {}

    def scalar(self, node: yaml.ScalarNode) -> str | int | float | bool | None:
        """By tag; a problem is noted and gives None."""
        tag, text = node.tag.removeprefix(TAG), str(node.value)
        if tag == "str" or tag == "merge":
            return text
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        try:
            if tag == "int":
                return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
            if tag == "float" and math.isfinite(number := float(text)):
                return number
        except ValueError:
            pass
        self.problem(node, f"{text} is not a plain finite number; write it in decimal, or in quotes if it is text"
                     if tag in ("ambiguous", "int", "float") else f"the tag {node.tag!r} is not allowed here")
        return None
