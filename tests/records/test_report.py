"""The report: what it says, that it stands alone, and the small plotting library under it."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linac_ctl.records.charts import Band, Line, Panel, chart, decimate, path, span, tick_text, ticks
from linac_ctl.records.heatmap import GREY, colours, leaf_map, worst_in_columns
from linac_ctl.records.plots import axis_chart, beam_plots, field
from linac_ctl.records.report import collect, render, write_report
from linac_ctl.records.result import LinkResult, Timing, read_result, write_result
from linac_ctl.records.run_record import RunRecord
from linac_ctl.records.verdict import axis_limits, checks
from tests.records.synthetic import (
    INTERLOCKS,
    arc,
    beam_data,
    event,
    machine,
    one_beam,
    plan,
    result,
    rows_of,
    write_run,
)


def page(run: Path) -> str:
    return render(collect(RunRecord.open(run)))


def text(html: str) -> str:
    """What a reader sees, without pictures and markup."""
    words: list[str] = []

    class Reader(HTMLParser):
        skip = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.skip += tag in ("style", "svg", "title")

        def handle_endtag(self, tag: str) -> None:
            self.skip -= tag in ("style", "svg", "title")

        def handle_data(self, data: str) -> None:
            if not self.skip:
                words.extend(data.split())

    Reader().feed(html)
    return " ".join(words)


def test_the_page_says_what_was_planned_delivered_and_what_stopped_it(tmp_path: Path) -> None:
    said = text(page(write_run(tmp_path / "run")))
    assert "SIMULATOR – not a medical device" in said
    assert "PASS delivered" in said
    assert "1 CW_arc 60.00 60.01 60.12 60.01 +0.010 6.00 1 0" in said
    assert (
        "MLC_LAG (hold) at 13.00 s: 2.31 against a limit of 2; cleared by Alex (therapist) at 13.50 s: leaf caught up"
        in said
    )
    assert "FIRST OUT" in said and "Kim (physicist) couch vertical tolerance 5 8 test" in said
    assert "seed 7 · digest 0123456789abcdef" in said and "linac-ctl 0.1.0" in said


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    html = page(write_run(tmp_path / "run"))
    assert "<script" not in html and "<link" not in html and "@import" not in html
    outside = [
        u
        for u in re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s>)]+)""", html)
        if not u.startswith("data:image/png")
    ]
    assert outside == []


def test_every_axis_is_drawn_against_time_and_mu_and_every_picture_is_xml(tmp_path: Path) -> None:
    report = collect(RunRecord.open(write_run(tmp_path / "run")))
    plots = report.beams[0].plots
    for axis in one_beam().axes():
        if not axis.is_leaf:
            assert f"{axis.name}-time" in plots and f"{axis.name}-MU" in plots
    assert {"dose", "leaf-rms", "leaf-error-time", "leaf-error-mu", "aperture-1", "aperture-4"} <= set(plots)
    for name, svg in plots.items():
        assert ET.fromstring(svg).tag.endswith("svg"), name


def test_devices_behind_lines_and_lateness_are_told_where_there_were_any(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    assert "Devices behind lines" not in text(page(run)) and "Real time:" not in text(page(run))
    link = LinkResult("couch", "serial:///dev/ttyUSB0", "free-running", "fw-7", "1", "ABCD1234", False, "unplugged", 900, 890, 12,
                      70, 1, 2, 3, 4, 5, 6, 7, 0.4, 1.5, 9.0, -17.4)
    late = Timing(900, 99.98, 0.05, 0.2, 3.0, 1, 2, 1, "timerfd", "SCHED_OTHER", 0)
    write_result(run, replace(read_result(run), links=(link,), timing=late))
    said = text(page(run))
    for words in ("serial:///dev/ttyUSB0", "session ABCD1234", "free-running unplugged",
                  "900 12 cycles, at most 70 ms 2, 3, 4, 1, 6",
                  "0.4, 1.5, 9.0 -17", "99.98 cycles per second", "2 ticks skipped"):
        assert words in said, words


def test_names_from_a_plan_cannot_break_the_page(tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script>&\"'"
    html = page(write_run(tmp_path / "run", the_plan=plan(arc(name=nasty))))
    assert "<script" not in html and nasty in text(html)


def test_a_killed_run_gets_a_report_from_its_journal(tmp_path: Path) -> None:
    rows = rows_of(beam_data(arc(), machine(), first_cycle=1000, cut_at=0.5))
    said = text(page(write_run(tmp_path / "run", rows, finished=False)))
    assert "FAIL partial: no result.json: the run was killed, or still goes on; doses are from its journal" in said
    assert "1 CW_arc 60.00 30.01 30.06 – –" in said
    assert "No interlock tripped." in said


def test_a_refused_run_without_rows_gets_a_report(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", one_beam().span(0, 0))
    write_result(run, replace(read_result(run), outcome="refused", reason="plan: no", beams=(), interlocks=()))
    (run / "plan.json").unlink()
    assert "FAIL refused: plan: no" in text(page(run))


def test_a_beam_that_was_not_started_says_so(tmp_path: Path) -> None:
    said = text(page(write_run(tmp_path / "run", the_plan=plan(arc(), arc(2, "second")))))
    assert "Beam 2: second" in said and "Not started." in said


def test_pictures_go_beside_the_report_only_in_the_run_folder(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    write_report(run, tmp_path / "elsewhere" / "r.html")
    assert not (run / "plots").exists()
    write_report(run)
    assert len(list((run / "plots").glob("*.svg"))) > 20


# --- verdict


def test_an_axis_is_judged_by_the_tightest_interlock_that_watches_it_in_beam() -> None:
    assert axis_limits(machine(), INTERLOCKS) == {"gantry": 1.0, "mlc": 2.0}  # the jaw row does not watch in beam


@pytest.mark.parametrize(
    ("true_mu", "passed"), [(60.1, True), (60.11, False), (59.9, True), (59.89, False), (None, True)]
)
def test_dose_passes_within_a_tenth_of_a_mu_of_truth_or_of_chamber_1(true_mu: float | None, passed: bool) -> None:
    done = result()
    done = replace(done, beams=(replace(done.beams[0], true_mu=true_mu),))
    assert next(c for c in checks(done, {}) if "MU" in c.name).passed is passed


@pytest.mark.parametrize(("limit", "passed"), [(0.02, True), (0.01, False)])
def test_the_axis_nearest_to_its_limit_decides(limit: float, passed: bool) -> None:
    check = next(c for c in checks(result(), {"mlc": limit, "gantry": 99.0}) if "axis" in c.name)
    assert check.passed is passed and check.value.startswith("mlc 0.01") and check.limit == f"{limit} mm"


def test_a_missing_reading_fails() -> None:
    rows = one_beam()
    data = rows.data.copy()
    data[100, rows.columns.index("gantry.readback_deg")] = np.nan
    assert not all(c.passed for c in checks(result(replace(rows, data=data)), {"gantry": 1.0}))


@pytest.mark.parametrize("changes", [{"outcome": "partial"}, {"overruns": 3}])
def test_anything_but_delivered_on_time_fails(changes: dict[str, object]) -> None:
    assert all(c.passed for c in checks(result(), {}))
    assert not all(c.passed for c in checks(result(**changes), {}))


# --- charts


@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e4), st.integers(2, 12))
def test_ticks_are_inside_even_and_not_too_many(low: float, width: float, most: int) -> None:
    found = ticks(low, low + width, most)
    assert 1 <= len(found) <= most + 1
    assert all(low - 1e-6 * width <= t <= low + width * (1 + 1e-6) for t in found)
    if len(found) > 1:
        assert len({tick_text(t, found[1] - found[0]) for t in found}) == len(found)  # no two read the same


@pytest.mark.parametrize(
    ("value", "step", "shown"),
    [(0.30000000000000004, 0.1, "0.3"), (-1e-17, 0.2, "0.0"), (1500.0, 500.0, "1500"), (-0.02, 0.01, "-0.02")],
)
def test_tick_text(value: float, step: float, shown: str) -> None:
    assert tick_text(value, step) == shown


def test_decimation_keeps_every_spike() -> None:
    x = np.arange(100_000.0)
    y = np.zeros(100_000)
    y[54_321], y[54_322] = 7.0, -3.0
    xs, ys = decimate(x, y, 400)
    assert len(xs) <= 800 and ys.max() == 7.0 and ys.min() == -3.0
    assert abs(xs[ys.argmax()] - 54_321) < 250


def test_a_missing_stretch_is_a_gap_in_the_line() -> None:
    assert path(np.arange(6.0), np.array([1, 2, np.nan, np.nan, 5, 6.0])) == "M0 1L1 2M4 5L5 6"


def test_level_stretches_take_two_points() -> None:
    assert path(np.arange(9.0), np.array([1, 1, 1, 1, 1, 4, 4, 4, 4.0])) == "M0 1L4 1L5 4L8 4"


def test_a_flat_or_empty_line_still_has_an_axis() -> None:
    low, high = span(np.full(5, 30.0), 1.0)
    assert low < 30 < high
    for y in (np.full(4, 3.0), np.full(4, np.nan), np.zeros(0)):
        ET.fromstring(chart("t", "x", (Panel("mm", (Line("a", np.arange(len(y), dtype=float), y, "#000"),)),)))


def test_text_in_a_chart_is_escaped() -> None:
    svg = chart(
        "a < b & c",
        "x",
        (Panel("mm", (Line("<i>", np.arange(3.0), np.arange(3.0), "#000"),)),),
        (Band(0, 1, "#eee", "q&a"),),
    )
    assert ET.fromstring(svg).findtext("{http://www.w3.org/2000/svg}title") == "a < b & c"
    assert "<i>" not in svg


def test_a_limit_far_away_does_not_flatten_the_error() -> None:
    rows = field(one_beam(), 1)
    gantry = rows.axes()[0]
    assert "stroke-dasharray" not in axis_chart(rows, gantry, "time", 50.0)
    assert "stroke-dasharray" in axis_chart(rows, gantry, "time", 0.02)


def test_a_field_is_cut_out_with_a_little_around_it() -> None:
    rows = rows_of(beam_data(arc(1), machine(), first_cycle=1000), beam_data(arc(2), machine(), first_cycle=5000))
    assert set(field(rows, 2)["beam"].tolist()) == {2.0}
    assert len(field(rows, 3)) == 0
    assert beam_plots(field(rows, 2), arc(2), {}).keys() == beam_plots(field(rows, 1), arc(1), {}).keys()


# --- leaf pictures


def test_a_colour_column_shows_the_error_furthest_from_zero_and_gaps_stay_empty() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 90.0, 99.0, 100.0])
    errors = np.array([[0.1], [-0.5], [0.2], [0.3], [0.0], [0.4], [-0.1]])
    picture = worst_in_columns(errors, x, 10)
    assert picture[0, 0] == -0.5 and picture[0, 9] == 0.4
    assert np.isnan(picture[0, 5])


def test_colours_are_white_at_zero_red_above_blue_below_grey_for_nothing() -> None:
    (blue, white, red, grey) = colours(np.array([[-1.0, 0.0, 1.0, np.nan]]), 1.0)[0].tolist()
    assert blue[2] > blue[0] and red[0] > red[2] and white == [250, 250, 250] and grey == list(GREY)


def test_a_leaf_map_is_small_enough_for_a_page() -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, (20_000, 120))
    names = tuple(f"{bank}{i + 1}" for bank in "AB" for i in range(60))
    assert len(leaf_map("t", "s", np.arange(20_000) * 0.02, noise, names)) < 120_000


def test_events_are_all_listed(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    assert text(page(run)).count(event().who) >= 3
