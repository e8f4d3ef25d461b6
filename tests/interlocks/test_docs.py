"""The reference pages that follow from tables are current."""

import pytest

from tools.safety_pages import MACHINES, PAGES, REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_its_tables_say(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name](), "not current: run python tools/safety_pages.py"


@pytest.mark.parametrize(("title", "rows", "states", "start"), [(m[0], *m[2:]) for m in MACHINES])
def test_every_state_of_a_machine_is_in_its_diagram(title: str, rows: list[list[object]], states: type, start: object) -> None:
    page = (REFERENCE / "state-machines.md").read_text()
    part = page.split(f"## {title}\n")[1].split("\n## ")[0]
    assert f"[*] --> {start.name}" in part  # type: ignore[attr-defined]
    assert all(f"{state.name} -->" in part for state in states)  # type: ignore[attr-defined]
    assert part.count("-->") == 1 + sum(len(r[1]) if isinstance(r[1], list) else 1 for r in rows)
