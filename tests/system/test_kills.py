"""Twenty runs killed without warning: every record can be read, and no MU is lost or given twice."""

from tools.kill_campaign import Setup, campaign, summary

SMALL = Setup(session="palliative", machine="bench_small", speed="200", seeds=2, by_dose=True)


def test_a_killed_run_leaves_a_true_record_and_what_is_left_is_delivered_once() -> None:
    found = campaign(SMALL, 20, seed=5, fork=True)
    assert not [f.problem for f in found if f.problem], summary(found)
    assert sum(f.state == "in a beam" for f in found) >= 10, summary(found)
