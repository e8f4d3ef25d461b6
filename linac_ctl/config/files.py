"""Configuration files: where they are looked for, how one extends another, and what is read."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .origin import Origin, Sourced, merge, origins, plain
from .suggest import did_you_mean
from .yaml_strict import parse

KINDS = {"machines": "machine", "sessions": "session", "workflows": "workflow", "interlocks": "interlocks",
         "protocols": "protocol", "studies": "study", "campaigns": "campaign",
         "faults": "faults"}
PACKAGE = Path(__file__).resolve().parents[1]
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A file with its parents merged in. `origin` gives the place of every dotted path; "" is the file itself."""

    data: dict[str, Any]
    origin: dict[str, Origin]
    files: tuple[Path, ...]
    sha256: str
    name: str
    path: Path

    def at(self, path: str) -> Origin:
        """Where a dotted path was written, or else the nearest group around it that was."""
        while path not in self.origin:
            path = path.rpartition(".")[0]
        return self.origin[path]


def canonical_json(data: Any) -> str:
    """The same text for the same values, whatever the order of keys; NaN and infinity are ValueErrors."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def folders(kind: str) -> list[Path]:
    """Where files of a kind are looked for, first the nearest: here, the checkout, the installed package."""
    if kind not in KINDS:
        raise ConfigError(f"no kind of configuration {kind!r}{did_you_mean(kind, KINDS)}; kinds are {', '.join(KINDS)}")
    roots = [Path.cwd() / "configs", PACKAGE.parent / "configs", PACKAGE / "_configs"]
    return list(dict.fromkeys(root.resolve() / kind for root in roots if (root / kind).is_dir()))


def available(kind: str) -> dict[str, Path]:
    """Name -> file of everything that can be chosen, by name; files that start with `_` are parents only."""
    found: dict[str, Path] = {}
    for folder in reversed(folders(kind)):
        found |= {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}
    return {name: found[name] for name in sorted(found) if not name.startswith("_")}


def find(kind: str, name: str) -> Path:
    """The file of that name or path; ConfigError lists what there is."""
    if "/" in name or name.endswith(SUFFIXES):
        path = Path(name)
        if path.is_file():
            return path
        raise ConfigError(f"{KINDS.get(kind, kind)} file {name}: there is no such file")
    known = available(kind)
    if name in known:
        return known[name]
    raise ConfigError(f"no {KINDS[kind]} named {name!r}{did_you_mean(name, known)}; "
                      f"there are {', '.join(known) or 'none'}; or give a path with a / in it")


def load(kind: str, name: str) -> Loaded:
    """Find, read, merge parents; ConfigError names file, line and column of everything that is wrong."""
    path = find(kind, name)
    return read_file(path, kind)


def read_file(path: Path, kind: str | None = None) -> Loaded:
    """A file with its parents; its own `kind:` must be the one asked for (any known one if None)."""
    files: list[Path] = []
    tree = resolved(path.resolve(), files)
    data = plain(tree)
    loaded = Loaded(data, origins(tree), tuple(files), hashlib.sha256(canonical_json(data).encode()).hexdigest(),
                    str(data.get("name", path.stem)), files[0])
    wanted = [KINDS[kind]] if kind else list(KINDS.values())
    if (said := data.get("kind")) not in wanted:
        raise ConfigError(f"{loaded.at('kind')}: kind is {said!r}; it must be {' or '.join(wanted)} here")
    return loaded


def resolved(path: Path, files: list[Path]) -> Sourced:
    """Parsed, with the chain of `extends` merged below; `files` takes every file read, the nearest first."""
    tree = parse(text_of(path), label(path))
    files.append(path)
    keys = dict(tree.value) if isinstance(tree.value, dict) else {}
    parent = keys.pop("extends", None)
    own = Sourced(keys, tree.origin)
    return own if parent is None else merge(resolved(parent_file(parent, path, files), files), own)


def parent_file(parent: Sourced, child: Path, files: list[Path]) -> Path:
    """The file that `extends` names: beside the child, or in the usual folders."""
    name, where = parent.value, parent.origin
    if not isinstance(name, str) or not name or "/" in name:
        raise ConfigError(f"{where}: extends takes the name of one file beside this one, without .yaml "
                          f"(got {plain(parent)!r})")
    known = {path.stem: path for path in candidates(child)}
    if name not in known:
        raise ConfigError(f"{where}: extends: nothing is named {name!r}{did_you_mean(name, known)}; "
                          f"there are {', '.join(known)}")
    if known[name] in files:
        chain = " -> ".join(path.stem for path in [*files, known[name]])
        raise ConfigError(f"{where}: extends goes round in a circle: {chain}")
    return known[name]


def candidates(child: Path) -> Iterator[Path]:
    """Possible parents; the nearest folder comes last and so wins."""
    kind = child.parent.name
    places = [child.parent, *(folders(kind) if kind in KINDS else [])]
    for folder in reversed(list(dict.fromkeys(places))):
        yield from (path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES)


def text_of(path: Path) -> str:
    """UTF-8 text of a file."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{label(path)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{label(path)}:{line}:1: not UTF-8 text (byte 0x{error.object[error.start]:02x}); "
                          f"save the file as UTF-8") from None


def label(path: Path) -> str:
    """How a file is named in messages and records: short, and the same on every machine for files that we ship."""
    bases = [base for base in (Path.cwd(), PACKAGE.parent) if path.is_relative_to(base)]
    return min((str(path.relative_to(base)) for base in bases), key=len, default=str(path))
