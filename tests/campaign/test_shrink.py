"""A failing schedule becomes as small as it can be, whatever else was in it, and still fails in the same way."""

from dataclasses import replace

import pytest

from linac_ctl.campaign.case import Case, schedule_text
from linac_ctl.campaign.row import of_case
from linac_ctl.campaign.shrink import fewest, lengths, linked, moments, same_failure, settings, shrunk


def fault(name, mode="DOS-01", after_s=0.37, **more):
    return {"id": name, "mode": mode, "when": {"phase": "beam_on", "after_s": after_s}} | more


def case_of(faults):
    return Case(0, "x", "swarm", "faults_short", 1, schedule_text(faults, "x"))


def rows_where(bad):
    """Rows of runs that fail exactly if `bad(faults)`."""
    def runs(cases):
        return [replace(of_case(case, "test"), verdict="failed" if bad(case.faults) else "passed",
                        violated=("SI-05",) if bad(case.faults) else ()) for case in cases]
    return runs


@pytest.mark.parametrize("guilty", [{"f3"}, {"f1", "f12"}, {"f2", "f7", "f9"}])
def test_the_guilty_faults_and_no_others_are_left(guilty):
    case = case_of([fault(f"f{k}") for k in range(1, 13)])
    runs = rows_where(lambda faults: guilty <= {one["id"] for one in faults})
    small, row, tried = shrunk(case, runs([case])[0], runs)
    assert {one["id"] for one in small.faults} == guilty and row.violated == ("SI-05",) and tried < 120


def test_times_lengths_and_settings_become_plain_where_that_still_fails():
    case = case_of([fault("f1", after_s=1.2345, lasts={"s": 0.5}, set={"gain": 1.23456, "which": "both"})])

    def bad(faults):
        return all(one["when"].get("after_s", 0.0) >= 1.0 and one.get("set", {}).get("gain", 0.0) > 1.1 for one in faults)

    runs = rows_where(bad)
    small, _, _ = shrunk(case, runs([case])[0], runs)
    assert small.faults == [{"id": "f1", "mode": "DOS-01", "when": {"phase": "beam_on", "after_s": 1.0}, "set": {"gain": 1.2}}]


def test_a_case_that_cannot_be_smaller_stays_as_it_is():
    case = case_of([{"id": "f1", "mode": "DOS-01", "when": {"phase": "beam_on"}}])
    runs = rows_where(lambda faults: True)
    small, _, tried = shrunk(case, runs([case])[0], runs)
    assert small.faults == case.faults and tried == 0


def test_a_fault_goes_with_the_one_that_it_waits_for():
    a, b = fault("a"), fault("b") | {"when": {"fault": "a"}}
    assert linked((b,)) == () and linked((a, b)) == (a, b)


    def fails(*several):
        return next((k for k, some in enumerate(several) if any(one["id"] == "b" for one in some)), None)

    found = fewest((fault("z"), a, b), fails)
    assert [one["id"] for one in found] == ["a", "b"]


def test_the_same_failure_is_the_same_invariant_or_the_same_verdict():
    row = of_case(case_of([]), "test")
    failed = replace(row, verdict="failed", violated=("SI-05", "SI-20"))
    assert same_failure(replace(row, verdict="failed", violated=("SI-20",)), failed)
    assert not same_failure(replace(row, verdict="failed", violated=("SI-28",)), failed)
    assert not same_failure(replace(row, verdict="passed"), replace(row, verdict="missed"))


def test_simpler_words_never_repeat_what_is_there():
    one = fault("f1", after_s=0.5, lasts={"blip": True, "every_s": 0.2, "times": 20}, set={"gain": 0.5})
    for change in (lengths, moments, settings):
        assert all(other != one for other in change(one))
    assert [*lengths(fault("f1"))] == [] and [*settings(fault("f1"))] == []
