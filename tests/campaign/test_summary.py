"""What a report says follows from the rows: counts, shares, bounds, twins."""

from dataclasses import replace

import pytest

from linac_ctl.campaign.expand import static_cases
from linac_ctl.campaign.figures import figures
from linac_ctl.campaign.numbers import percentiles, upper_bound
from linac_ctl.campaign.summary import summary, table_digest
from tests.campaign.worlds import CATALOGUE, config, row_of

CASES = list(static_cases(config(grid={}, seeds=[1, 2, 3]), CATALOGUE))


def rows(*verdicts, **changes):
    idle = ("not_activated", "not_reachable")
    return [replace(row_of(case), verdict=verdict, activated=verdict not in idle, detected="", severity="S3", **changes)
            for case, verdict in zip(CASES, verdicts)]


def test_what_was_not_activated_is_neither_passed_nor_detected_nor_missed():
    found = summary(rows("passed", "not_activated", "not_reachable", "not_activated", "missed"))
    assert (found["runs"], found["activated"], found["not_activated"], found["missed"]) == (5, 2, 2, 1)
    assert found["verdicts"]["passed"] == 1 and found["not_reachable"] == 1


def test_the_share_of_detection_is_of_those_that_were_owed_a_reaction():
    some = rows("passed", "passed", "failed", "missed", "harmless", "not_activated")
    some[0], some[1] = (replace(row, detected="MLC_POS") for row in some[:2])
    assert summary(some)["detection_share"] == pytest.approx(2 / 3, abs=1e-6)


def test_missed_runs_of_s4_are_listed_by_name():
    some = rows("missed", "missed", "passed")
    some[1] = replace(some[1], severity="S4")
    found = summary(some)
    assert found["missed_s4"] == 1 and [run["id"] for run in found["missed_s4_runs"]] == [some[1].case_id]
    assert found["worst"][0]["id"] == some[1].case_id


def test_a_twin_with_another_digest_is_told_and_counts_as_nothing_else():
    some = rows("passed", "passed")
    twin = replace(some[0], case_id=some[0].case_id + "r", twin_of=some[0].case_id, position=99)
    assert summary([*some, twin])["twins"] == {"pairs": 1, "different": 0, "runs": []}
    found = summary([*some, replace(twin, digest="other")])
    assert found["twins"]["different"] == 1 and found["runs"] == 2


def test_a_branched_run_is_the_run_from_the_beginning_in_every_bit_and_figure():
    some = [replace(row, way="fork", fork_of="cycle 99") for row in rows("passed")]
    twin = replace(some[0], case_id=some[0].case_id + "w", twin_of=some[0].case_id, way="whole", fork_of="", position=99)
    assert summary([*some, twin])["twins"]["different"] == 0
    assert summary([*some, replace(twin, excess_mu=99.0)])["twins"]["different"] == 1
    assert summary([*some, replace(twin, digest="other")])["twins"]["different"] == 1


def test_a_run_that_broke_an_invariant_counts_as_missed_too_if_nobody_noticed_in_time():
    row = replace(rows("failed")[0], activated=True, due=True, detected="", severity="S4", violated=("SI-20",))
    assert summary([row])["missed_s4"] == 1 and summary([row])["detection_share"] == 0.0
    assert summary([replace(row, detected="MLC_POS")])["missed"] == 0


def test_false_trips_come_with_an_upper_bound():
    free = [replace(row_of(case), verdict="passed") for case in static_cases(config(fault_free={"runs": 300}), CATALOGUE)]
    found = summary(free)["fault_free"]
    assert (found["runs"], found["false_trips"]) == (300, 0)
    assert found["upper_bound_95"] == pytest.approx(1 - 0.05 ** (1 / 300), rel=1e-3)
    free[7] = replace(free[7], false_trip="MLC_POS")
    assert summary(free)["false_trips"] == 1


@pytest.mark.parametrize("hits, runs, bound", [(0, 1, 0.95), (1, 10, 0.39416), (5, 5, 1.0), (0, 100_000, 2.9957e-5)])
def test_the_bound_is_that_of_clopper_and_pearson(hits, runs, bound):
    assert upper_bound(hits, runs) == pytest.approx(bound, rel=1e-3)


def test_percentiles_are_values_that_were_measured():
    assert percentiles([*range(1, 101), None, float("nan")]) == {"n": 100, "p50": 50, "p95": 95, "p99": 99, "max": 100}
    assert percentiles([]) == {"n": 0} and percentiles([7.0])["p50"] == 7.0


def test_the_digest_of_a_table_does_not_depend_on_how_it_was_made():
    some = rows("passed", "missed", "failed")
    assert table_digest(some) == table_digest([replace(row, seconds=9.0, retries=1) for row in reversed(some)])
    assert table_digest(some) != table_digest([replace(some[0], excess_mu=1.0), *some[1:]])


def test_the_least_margin_of_every_invariant_is_named_with_its_run():
    some = rows("passed", "failed")
    some = [replace(some[0], margins={"SI-05": (0.4, "MU"), "SI-12": (10.0, "ms")}),
            replace(some[1], margins={"SI-05": (-0.1, "MU")}, violated=("SI-05",))]
    found = summary(some)["invariants"]
    assert found["SI-05"] == {"judged": 2, "violated": 1, "least": -0.1, "unit": "MU", "id": some[1].case_id}
    assert found["SI-12"]["violated"] == 0


def test_a_run_that_violates_several_properties_is_one_run():
    some = rows("failed", "failed", "passed")
    some[:2] = [replace(row, violated=("SI-05", "SI-09", "SI-16")) for row in some[:2]]
    assert summary(some)["violated"] == 2
    assert next(f for f in figures(summary(some)) if "invariant was violated" in f.what).value == "2 of 3"
