"""Every name of the catalogue of interlocks is decided, or said to be not decidable yet; nothing else is."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.control.rig import table

CATALOGUE = {row["name"]: row["class"] for row in csv.DictReader((Path(__file__).parent / "catalogue.csv").open())}
TABLE = table()
NOT_DECIDABLE = [name for names in TABLE.not_decidable.values() for name in names]


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_name_has_rows_or_is_listed_as_not_decidable_and_not_both(name: str) -> None:
    has_rows = any(row.catalogue_name == name for row in TABLE.rows)
    assert has_rows + NOT_DECIDABLE.count(name) == 1


def test_nothing_is_named_that_the_catalogue_does_not_know() -> None:
    assert {row.catalogue_name for row in TABLE.rows} | set(NOT_DECIDABLE) == set(CATALOGUE)
    assert not [name for name, n in Counter(NOT_DECIDABLE).items() if n > 1]


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.id)
def test_a_class_is_the_catalogues_or_says_why_not(row: object) -> None:
    assert bool(row.deviation) is (row.kind != CATALOGUE[row.catalogue_name])  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.id)
def test_a_row_says_where_its_figure_comes_from(row: object) -> None:
    assert row.source.strip()  # type: ignore[attr-defined]


def test_hard_wired_terminating_and_motion_rows_latch_and_routine_and_preventing_rows_clear() -> None:
    for row in TABLE.rows:
        assert TABLE.latched(row) is (row.kind not in "RP" and row.id != "MOTION_EN")


def test_resets_of_dose_latches_are_for_a_physicist_at_least() -> None:
    for row in TABLE.rows:
        assert not row.dose or TABLE.reset_role(row) in ("physicist", "engineer")
