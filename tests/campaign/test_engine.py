"""Workers do every case once, whoever dies meanwhile; the one that kills its worker is found."""

import os
from dataclasses import replace

import pytest

from linac_ctl.campaign.conduct import Campaign, pace_of
from linac_ctl.campaign.engine import HereEngine, Pace, PoolEngine, batched
from linac_ctl.campaign.expand import static_cases
from tests.campaign.worlds import BEFORE_DEATH, CATALOGUE, config, deadly, row_of, work


def cases(runs, **parts):
    return list(static_cases(config(fault_free={"runs": runs}, **parts), CATALOGUE))


def test_processes_give_the_rows_that_this_process_gives():
    found = cases(30)
    batches = [tuple(found[k:k + 7]) for k in range(0, 30, 7)]
    rows = [row for some in PoolEngine(work, 2, "test").map(iter(batches)) for row in some]
    here = [row for some in HereEngine(work).map(iter(batches)) for row in some]
    assert sorted(rows, key=lambda r: r.position) == here == [row_of(case) for case in found]


def test_a_worker_that_dies_is_replaced_and_the_case_that_kills_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(BEFORE_DEATH, str(tmp_path))
    found = [replace(case, seed={5: 666, 21: 13}.get(case.position, 1000 + case.seed)) for case in cases(30)]
    rows = [row for some in PoolEngine(deadly, 2, "test").map(batched(iter(found), Pace(most=4))) for row in some]
    by_position = {row.position: row for row in rows}
    assert sorted(by_position) == list(range(30)) and len(rows) == 30
    assert by_position[5].outcome == "crashed" and by_position[5].retries == 3 and "died 3 times" in by_position[5].reason
    assert by_position[21].outcome == "completed" and by_position[21].retries >= 1
    assert [p for p, row in by_position.items() if row.outcome == "crashed"] == [5]


def test_workers_do_not_outlive_the_one_who_asked():
    engine = PoolEngine(pid_of, 1, "test")
    flow = engine.map(iter([(case,) for case in cases(3)]))
    pids = {int(next(flow)[0].digest)}
    flow.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def pid_of(batch):
    return [replace(row_of(case), digest=str(os.getpid())) for case in batch]


def test_batches_grow_to_about_a_second_and_never_mix_sessions():
    pace = Pace()
    flow = batched(iter(cases(900, sessions=[{"session": "box"}, {"session": "gated"}])), pace)
    sizes = [len(next(flow))]
    pace.heard([replace(row_of(cases(1)[0]), seconds=0.01)])
    for batch in flow:
        sizes.append(len(batch))
        assert len({case.session for case in batch}) == 1
    assert sizes[0] == 1 and sizes[1] == 100 and max(sizes) == 100 and sum(sizes) == 1800


@pytest.mark.parametrize(("seconds", "size"), [(0.001, 512), (0.1, 40), (0.5, 32), (60.0, 32)])
def test_branches_that_take_long_still_come_several_at_a_time(seconds, size):
    pace = Pace(4.0, least=32)
    assert pace.size() == 1
    pace.heard([replace(row_of(cases(1)[0]), seconds=seconds)])
    assert pace.size() == size


@pytest.mark.parametrize(("runs", "fork", "least"), [(10, True, 1), (160, True, 10), (5000, True, 32), (5000, False, 1)])
def test_a_campaign_of_branches_comes_in_enough_batches_for_all_workers(runs, fork, least):
    assert pace_of(Campaign(config(fault_free={"runs": runs}, fork=fork), CATALOGUE)).least == least
