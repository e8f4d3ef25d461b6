"""A plan from the shelf is the plan that would be made."""

from pathlib import Path

import pytest

from linac_ctl.errors import PlanError
from linac_ctl.plan.make import write_plan
from linac_ctl.plan.make.shelf import shelved_plan


def test_a_plan_from_the_shelf_has_the_bytes_of_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINAC_CTL_CACHE_DIR", str(tmp_path / "cache"))
    first = shelved_plan("palliative", "millennium_120", None, tmp_path)
    again = shelved_plan("palliative", "millennium_120", None, tmp_path)
    write_plan(tmp_path / "new.dcm", "palliative")
    assert first == again and first.parent == tmp_path / "cache" / "plans"
    assert first.read_bytes() == (tmp_path / "new.dcm").read_bytes()
    assert shelved_plan("palliative", "millennium_120", 50.0, tmp_path) != first


def test_without_a_shelf_a_plan_is_made_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("LINAC_CTL_CACHE_DIR", str(tmp_path / "file"))
    assert shelved_plan("palliative", "millennium_120", None, tmp_path) == tmp_path / "palliative.dcm"


def test_a_kind_that_does_not_exist_is_refused_with_or_without_a_shelf(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there are"):
        shelved_plan("nonesuch", "millennium_120", None, tmp_path)
