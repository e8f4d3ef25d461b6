"""The page needs nothing else; CI, scripts and tables say the same as it does."""

import csv
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from linac_ctl.campaign.expand import static_cases
from linac_ctl.campaign.export import write_csv, write_parquet
from linac_ctl.campaign.figures import figures
from linac_ctl.campaign.numbers import readable
from linac_ctl.campaign.page import junit, write
from linac_ctl.campaign.pictures import PAIRS_TITLE, log_ticks, pairs, spread
from linac_ctl.campaign.row import Row
from linac_ctl.campaign.summary import summary
from tests.campaign.worlds import CATALOGUE, config, row_of

PARTS = {"repeat": 0.1, "fault_free": {"runs": 5}, "grid": {}, "pairs": {}, "swarm": {"runs": 5}}
ABOUT = {"name": "small", "description": "d", "total": 99, "code_version": "1+2", "sessions": ["box"], "names": {}}


@pytest.fixture(scope="module")
def rows():
    return [row_of(case, trip_to_permit_ms=10.0) for case in static_cases(config(**PARTS), CATALOGUE)]


@pytest.fixture(scope="module")
def written(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    return folder, write(rows, {**summary(rows), "unfinished": 3}, ABOUT, folder)


def test_the_page_needs_nothing_else(written):
    page = written[1]["page"].read_text(encoding="utf-8")
    assert page.count("<svg ") >= 5 and not re.search(r'(?:src|href)="(?!#)', page)
    assert not {*re.findall(r"https?://[^\s\"<]+", page)} - {"http://www.w3.org/2000/svg"}
    assert "Not finished: 3 runs" in page and "not for clinical use" in page


def test_every_cell_of_the_matrix_is_of_the_rows(written, rows):
    page = written[1]["page"].read_text(encoding="utf-8")
    cells = re.findall(r'title="(\S+) in (\w+): [^"]*">(\d+)/(\d+)<', page)
    tried = {(row.modes, row.phase) for row in rows if row.part == "grid"}
    assert {(mode, phase) for mode, phase, _, _ in cells} == tried


def test_every_run_to_look_at_comes_with_a_command_and_its_schedule(written, rows):
    folder, files = written
    page = files["page"].read_text(encoding="utf-8")
    shown = re.findall(r"<pre>linac-ctl run (\S+) --seed (\d+) --faults (\S+) --out runs/(\w+)</pre>", page)
    assert len(shown) == min(25, sum(row.bad and not row.twin_of and row.modes != "" for row in rows)) > 3
    by_id = {row.case_id: row for row in rows}
    for session, seed, path, name in shown:
        assert (session, int(seed), path) == (by_id[name].session, by_id[name].seed, f"{folder}/schedules/{name}.yaml")
        text = (folder / "schedules" / f"{name}.yaml").read_text()
        assert "kind: faults" in text and all(mode in text for mode in by_id[name].modes.split())


def test_ci_sees_a_failure_for_every_bad_run_and_never_a_pass_for_one_that_was_not_activated(rows):
    root = Xml.fromstring(junit(rows, "small"))
    own = [row for row in rows if not row.twin_of]
    assert len(root.findall(".//testcase")) == len(own) == sum(int(suite.attrib["tests"]) for suite in root)
    assert len(root.findall(".//failure")) == sum(row.verdict in ("failed", "missed") for row in own)
    assert len(root.findall(".//skipped")) == sum(row.verdict in ("not_activated", "not_reachable") for row in own)


def test_the_summary_file_is_the_summary(written, rows):
    assert json.loads(written[1]["summary"].read_text())["runs"] == summary(rows)["runs"]


def test_a_table_has_every_row_and_column(tmp_path, rows):
    table = list(csv.DictReader(write_csv(rows, tmp_path / "rows.csv").open(encoding="utf-8")))
    assert len(table) == len(rows) and {*table[0]} == {*Row.__dataclass_fields__}
    assert json.loads(table[0]["margins"]) == {"SI-05": list(rows[0].margins["SI-05"])}


def test_parquet_has_numbers_as_numbers(tmp_path, rows):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra parquet)")
    some = [replace(rows[0], excess_mu=None), *rows[1:]]
    table = parquet.read_table(write_parquet(some, tmp_path / "rows.parquet"))
    assert table.num_rows == len(rows) and str(table.schema.field("excess_mu").type) == "double"
    assert table["excess_mu"][0].as_py() is None and table["seed"].to_pylist() == [row.seed for row in some]


@pytest.mark.parametrize("worst_ms, met", [(10.0, "goal"), (20.0, "bar"), (30.0, "no")])
def test_a_figure_is_held_against_bar_and_goal(rows, worst_ms, met):
    some = [replace(row, trip_to_permit_ms=worst_ms if k == 7 else 10.0) for k, row in enumerate(rows)]
    found = {figure.what: figure for figure in figures(summary(some))}
    assert found["trip to permit low, worst"].met == met and found["false trips without a fault"].met == "so far"
    assert "excess dose of a double fault, worst" in found


def test_figures_that_were_not_measured_are_left_out():
    free = [row_of(case, false_trip="") for case in static_cases(config(fault_free={"runs": 3}), CATALOGUE)]
    assert not [figure for figure in figures(summary(free)) if "fault, worst" in figure.what or "noticed" in figure.what]


def test_a_page_without_faults_is_whole_too(tmp_path):
    free = [row_of(case, false_trip="") for case in static_cases(config(fault_free={"runs": 3}), CATALOGUE)]
    page = write(free, {**summary(free), "unfinished": 0}, ABOUT, tmp_path)["page"].read_text(encoding="utf-8")
    assert "false trips in 3 sessions" in page and "Two faults" not in page


def test_numbers_and_words_of_the_page_are_for_people(tmp_path, rows):
    some = [replace(row, trip_to_permit_ms=1310.0, excess_mu=-18.9) for row in rows]
    files = write(some, {**summary(some), "unfinished": 0}, ABOUT | {"description": "Two faults"}, tmp_path)
    page = re.sub(r"<svg .*?</svg>", "", files["page"].read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "1310 ms" in page and not re.search(r"\de[+-]\d", page)
    assert "within 0 MU" in page and "Two faults. " in page


def test_the_title_of_the_pairs_has_room_however_few_they_are(rows):
    (a, *_) = [row for row in rows if row.part == "pairs"]
    assert int(re.search(r'width="(\d+)"', pairs([a])).group(1)) > 16 + 7 * len(PAIRS_TITLE)


@pytest.mark.parametrize("value, text", [(1310.0, "1310"), (10.0, "10"), (-18.912, "-18.9"), (0.00001234, "0.00001"),
                                         (999.7, "1000"), (0.0, "0"), (-1.7e308, "-1.7e+308")])
def test_a_readable_number_has_no_power_of_ten_unless_it_is_absurd(value, text):
    assert readable(value) == text


@pytest.mark.parametrize("slowest_ms, logarithmic", [(40.0, False), (1500.0, False), (1510.0, True), (101_630.0, True)])
def test_times_far_beyond_the_usual_ones_do_not_hide_the_usual_ones(rows, slowest_ms, logarithmic):
    some = [replace(row, reaction_ms=30.0, part="grid") for row in rows[:9]]
    svg = spread([*some, replace(rows[0], reaction_ms=slowest_ms, part="grid")], "reaction_ms", "ms", "Stopped", ((20.0, "bar"),))
    assert ("ms (logarithmic)" in svg) is logarithmic and "bar 20 ms" in svg
    Xml.fromstring(svg)


def test_a_logarithmic_axis_has_the_numbers_that_people_count_in():
    assert [text for _, text in log_ticks(10.0, 260.0)] == ["10", "20", "50", "100", "200"]
    assert [round(at, 3) for at, _ in log_ticks(0.01, 0.06)] == [-2.0, -1.699, -1.301]
