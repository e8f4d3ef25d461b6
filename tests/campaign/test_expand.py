"""A campaign file becomes the same cases in the same order every time, and all that were asked for."""

import json
import subprocess
import sys
from collections import Counter
from itertools import combinations

import pytest

from linac_ctl.campaign.conduct import Campaign
from linac_ctl.campaign.cover import covered
from linac_ctl.campaign.expand import static_cases
from linac_ctl.campaign.modes import value_at
from linac_ctl.errors import ConfigError
from tests.campaign.worlds import CATALOGUE, Choice, Range, config

EVERYTHING = {"seeds": [1, 2], "repeat": 0.2, "fault_free": {"runs": 3},
              "grid": {"sizes": [0.0, 0.5, 1.0], "lasts": [{"blip": True}, {"s": 0.5}, {}]}, "pairs": {}, "swarm": {"runs": 20}}


def cases(**parts):
    return list(static_cases(config(**parts), CATALOGUE))


def test_the_same_file_gives_the_same_cases_in_another_process():
    script = ("from tests.campaign.test_expand import EVERYTHING, cases; import hashlib; "
              "print(hashlib.sha256(repr(cases(**EVERYTHING)).encode()).hexdigest())")
    digests = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60,
                              env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}).stdout for seed in ("1", "2")]
    assert digests[0] == digests[1] and len(digests[0]) == 65


def test_positions_count_up_and_ids_are_unique():
    found = cases(**EVERYTHING)
    assert [case.position for case in found] == list(range(len(found)))
    assert len({case.id for case in found}) == len(found)


def test_a_grid_has_every_mode_in_every_phase_size_length_and_seed_once():
    found = cases(seeds=[1, 2], grid={"modes": {"ids": ["ACT-04"]}, "sizes": [0.0, 1.0], "lasts": [{"s": 0.5}, {}]})
    grid = Counter((c.labels.phase, c.labels.size, c.labels.lasts, c.seed) for c in found)
    assert len(grid) == 2 * 2 * 2 * 2 and {*grid.values()} == {1}


def test_sizes_are_compared_at_the_same_moment():
    found = cases(grid={"modes": {"ids": ["ACT-04"]}, "phases": ["beam_on"], "sizes": [0.0, 0.5, 1.0]})
    faults = [case.faults[0] for case in found]
    assert len({json.dumps(fault["when"]) for fault in faults}) == 1
    assert [fault["set"]["leaf"] for fault in faults] == [0, 5, 10]


def test_a_mode_without_sizes_is_not_run_once_for_each():
    assert len(cases(grid={"modes": {"ids": ["ROM-03"]}, "phases": ["beam_on"]})) == 1


def test_a_session_takes_only_the_phases_it_visits():
    found = cases(grid={"modes": {"ids": ["ACT-04"]}, "sizes": [1.0]},
                  sessions=[{"session": "box", "phases": ["beam_on"]}, {"session": "gated", "phases": ["setup", "hold"]}])
    assert {(case.session, case.labels.phase) for case in found} == {("box", "beam_on"), ("gated", "setup")}


def test_every_two_modes_meet_in_every_relation_and_same_is_the_same_cycle():
    found = cases(pairs={"modes": {"without": ["IMG-04"]}})
    meetings = Counter((case.labels.modes, case.labels.relation) for case in found)
    pairs = [f"{a} {b}" for a, b in combinations(sorted({*CATALOGUE} - {"IMG-04"}), 2)]
    assert meetings == Counter({(pair, relation): 1 for pair in pairs for relation in ("before", "after", "same")})
    for case in found:
        first, second = (fault["when"].get("after_s", 0.0) for fault in case.faults)
        gap = second - first
        assert {"same": gap == 0.0, "after": gap > 0.0, "before": gap < 0.0}[case.labels.relation]


def test_a_table_of_pairs_lets_every_two_values_of_its_columns_meet():
    fixed = [(a, b) for a in "abcdef" for b in "uvwxyz"]
    columns = [[tuple(range(3))] * 36, [tuple("pqr")] * 36, [tuple("ST")] * 36]
    rows = list(covered(fixed, columns))
    for j, k in combinations(range(5), 2):
        values = [{row[j] for row in rows}, {row[k] for row in rows}]
        assert len({(row[j], row[k]) for row in rows}) == len(values[0]) * len(values[1])


def test_a_swarm_draws_few_kinds_and_many_faults():
    found = cases(swarm={"runs": 200, "faults": [3, 12], "kinds": [1, 2]}, repeat=0.0)
    assert len(found) == 200
    assert all(3 <= len(case.faults) <= 12 and len(case.labels.modes.split()) <= 2 for case in found)
    assert len({len(case.faults) for case in found}) == 10
    same = [a["when"] == b["when"] for case in found for a, b in zip(case.faults, case.faults[1:])]
    assert 0.1 < sum(same) / len(same) < 0.6


def test_a_share_of_the_runs_is_done_twice():
    found = cases(fault_free={"runs": 1000}, repeat=0.05)
    twins = [case for case in found if case.twin_of]
    assert 30 <= len(twins) <= 75
    by_id = {case.id: case for case in found}
    assert all(by_id[twin.twin_of].schedule == twin.schedule and by_id[twin.twin_of].seed == twin.seed for twin in twins)


def test_branched_runs_are_checked_from_the_beginning():
    found = cases(grid={}, fork=True, fork_check=1.0)
    assert {case.way for case in found if not case.twin_of} == {"fork"}
    whole = [case for case in found if case.way == "whole"]
    assert len(whole) == len(found) / 2 and all(case.twin_of for case in whole)


@pytest.mark.parametrize("limit", [1, 40, 10_000])
def test_a_limit_spreads_over_all_parts(limit):
    campaign = Campaign(config(**EVERYTHING), CATALOGUE, limit)
    everything, found = cases(**EVERYTHING), list(campaign.fixed())
    assert len(found) == min(limit, len(everything)) == campaign.total()
    assert limit < 40 or len({case.part for case in found}) == 4


@pytest.mark.parametrize("choice, message", [
    ({"ids": ["ACT-40"]}, "no mode 'ACT-40' in the catalogue; did you mean 'ACT-04'"),
    ({"tiers": [3]}, "no mode of the catalogue fits"),
])
def test_a_mode_that_is_not_there_is_refused_with_the_nearest_name(choice, message):
    with pytest.raises(ConfigError, match=message):
        cases(grid={"modes": choice})


def test_pairs_without_a_visited_phase_are_refused():
    with pytest.raises(ConfigError, match="fewer than two modes with a phase that a session visits"):
        cases(pairs={"modes": {"ids": ["ACT-04", "SEN-01"]}}, sessions=[{"session": "box", "phases": ["imaging"]}])


@pytest.mark.parametrize("setting, place, value", [
    (Range(0.0, 10.0), 0.5, 5.0), (Range(1, 9, whole=True), 1.0, 9), (Range(0.001, 1.0), 0.5, 0.0316228),
    (Choice(("a", "b")), 0.0, "b"),
])
def test_a_place_in_a_range_is_a_value(setting, place, value):
    assert value_at(setting, place, 3) == value
