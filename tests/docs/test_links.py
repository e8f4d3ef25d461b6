"""Links between pages lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, name, prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def headings(path: Path) -> set[str]:
    """Anchors as hosting sites make them."""
    titles = re.findall(r"^#{1,6} +(.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken(path: Path) -> list[str]:
    """Targets that are not there."""
    found = []
    for target in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in headings(there)):
            found.append(target)
    return found


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_relative_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    assert not broken(path)


def test_a_link_to_nowhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](none.md) [d](https://example.org)\n", encoding="utf-8")
    assert broken(page) == ["#two", "none.md"]
