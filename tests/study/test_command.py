"""`linac-ctl study margins` from the file to the page; processes change no number; Ctrl-C keeps what is done."""

import csv
import json
import re
from pathlib import Path

import pytest

from linac_ctl.cli.config import problems_of
from linac_ctl.cli.main import main
from linac_ctl.cli.study_pool import all_of
from linac_ctl.config.yaml_strict import dump
from linac_ctl.study.outcome import conclude
from linac_ctl.study.page import write
from linac_ctl.study.rows import work
from tests.study.worlds import room, world

SMALL = {"sessions": 4, "fractions": 2, "bootstrap": 100, "arms": ("none", "cbct_6dof"), "timeline": {"sample_s": 300.0}}


@pytest.fixture(scope="module")
def worked():
    study = world(**SMALL)
    return [work(room(study), patient, 1) for patient in range(2)]


def as_file(folder: Path, **changes) -> str:
    path = folder / "small.yaml"
    path.write_text(dump(json.loads(world(**{**SMALL, **changes}).model_dump_json())), encoding="utf-8")
    return str(path)


def test_the_file_that_comes_with_it_is_right():
    assert problems_of("spine_margins", "study") == []


def test_one_and_two_processes_give_the_same_numbers_as_none(tmp_path, capsys, worked):
    file, digests = as_file(tmp_path), []
    for processes in ("1", "2"):
        assert main(["study", "margins", file, "-j", processes, "--out", str(tmp_path / processes), "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        digests.append(answer["digest"])
        assert answer["complete"] and [arm["name"] for arm in answer["arms"]] == ["none", "cbct_6dof"]
    study = world(**SMALL)
    assert {*digests} == {conclude(study, 1, worked).digest}
    assert conclude(study, 1, worked[::-1]).digest == digests[0]


def test_the_page_needs_nothing_else_and_the_tables_have_every_session(tmp_path, worked):
    outcome = conclude(world(**SMALL), 1, worked)
    files = write(outcome, tmp_path)
    page = files["page"].read_text(encoding="utf-8")
    assert page.count("<svg ") == 4 and not re.search(r'(?:src|href)="(?!#)', page)
    assert not {*re.findall(r"https?://[^\s\"<]+", page)} - {"http://www.w3.org/2000/svg"}
    rows = list(csv.DictReader(files["sessions"].open(encoding="utf-8")))
    assert len(rows) == 2 * 2 * 2 and float(rows[0]["start_mm"]) > 0.0
    assert {p.name for p in (tmp_path / "plots").iterdir()} == {"margins.svg", "parts.svg", "first-beam.svg", "during.svg"}


def test_who_ended_early_says_so(tmp_path, worked):
    outcome = conclude(world(**{**SMALL, "sessions": 20}), 1, worked)
    assert not outcome.complete
    assert "Ended early: 2 of 10 patients" in write(outcome, tmp_path)["page"].read_text(encoding="utf-8")


def test_ctrl_c_keeps_the_patients_that_are_done():
    study = world(**{**SMALL, "sessions": 40, "arms": ("none",)})

    def stop(_):
        raise KeyboardInterrupt

    found = all_of(study, 1, 1, stop)
    assert 1 <= len(found) < study.patients


@pytest.mark.parametrize("words, code, message", [
    (["nonsense"], 3, "no study named 'nonsense'"),
    (["spine_margins", "--sessions", "6"], 2, "two patients of 5 fractions are 10 sessions"),
    (["spine_margins", "--sessions", "1"], 2, "is not in the range"),
])
def test_what_cannot_be_studied_is_refused(capsys, words, code, message):
    assert main(["study", "margins", *words]) == code
    assert message in capsys.readouterr().err


def test_a_wrong_file_names_the_place(tmp_path, capsys):
    path = Path(as_file(tmp_path))
    path.write_text(path.read_text(encoding="utf-8").replace("image: none", "image: mri"), encoding="utf-8")
    assert main(["study", "margins", str(path)]) == 3
    assert re.search(r"small\.yaml:\d+:\d+: arms\.0\.image", capsys.readouterr().err)
