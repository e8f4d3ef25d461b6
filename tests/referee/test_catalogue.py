"""The catalogue of the referee: everything that can be judged is, once, and every judge has traces made by hand."""

import re
from pathlib import Path

from device_models.referee.judging.referee import judge
from device_models.referee.properties import PROPERTIES
from tests.referee import test_made_logic, test_made_motion, test_made_radiation
from tests.referee.made import Made

IDS = [f"SI-{i:02d}" for i in range(1, 31)] + ["LV-1", "LV-2", "LV-3"]


def test_all_thirty_three_properties_are_there_once() -> None:
    assert [it.id for it in PROPERTIES] == IDS


def test_every_property_has_traces_that_violate_it_and_near_misses() -> None:
    made = {**test_made_radiation.VIOLATED, **test_made_motion.VIOLATED, **test_made_logic.VIOLATED}
    near = {**test_made_radiation.NEAR, **test_made_motion.NEAR, **test_made_logic.NEAR}
    assert sorted(made) == sorted(IDS) and sorted(near) == sorted(IDS)


def test_the_healthy_run_violates_nothing() -> None:
    verdicts = judge(Made().rows, Made().leaves, Made().facts)
    assert not verdicts.violated, verdicts.line
    assert len(verdicts.judged) >= 28


def test_nothing_recorded_is_nothing_judged() -> None:
    made = Made()
    assert not judge(made.rows[:0], made.leaves[:0], made.facts).judged


def test_a_line_names_what_is_violated_and_by_how_much() -> None:
    made = Made().set("energy", 0, 1000, 1.05)
    line = judge(made.rows, made.leaves, made.facts).line
    assert re.match(r"1 of \d+ properties VIOLATED .*SI-10 violated, margin -0.02 share of energy", line), line


def test_margins_wear_units() -> None:
    units = {it.id: it.unit for it in PROPERTIES}
    assert all(units.values()) and units["SI-05"] == "MU" and units["SI-04"] == "mm" and units["SI-01"] == "ms"


def test_every_property_is_on_its_page(root: Path) -> None:
    page = (root / "docs/reference/referee.md").read_text()
    assert all(f"| {name} |" in page for name in IDS)


def test_the_page_of_the_referee_is_current() -> None:
    from tools.referee_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tools/referee_page.py"
