"""Every page that people read, and what is in it."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^(`{3,})(\{?[\w-]*\}?)[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    """For the ids of tests."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, *languages: str) -> list[str]:
    """Code blocks in one of these languages; "" is a block that names none."""
    return [body for _, language, body in FENCE.findall(path.read_text(encoding="utf-8")) if language in languages]


def prose(path: Path) -> str:
    """The text without its code blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def spans(path: Path) -> Iterator[str]:
    """Inline code."""
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(path))
