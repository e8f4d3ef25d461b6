"""Faults per second of processor time: branched from one session in progress, and from the beginning, both judged."""

import resource

from benchmarks.measure import Row
from linac_ctl.campaign.case import Case
from linac_ctl.campaign.catalogue import catalogue
from linac_ctl.campaign.config import CampaignConfig
from linac_ctl.campaign.expand import static_cases
from linac_ctl.campaign.runner import run_batch, run_whole

WHOLE = 40  # of the cases, done from their beginning


def cases() -> tuple[Case, ...]:
    """Every mode of tier 1 that bites with beam, in three sizes and lengths, that a session without images can have."""
    config = CampaignConfig.model_validate({
        "kind": "campaign", "name": "forks", "sessions": [{"session": "faults_short"}],
        "repeat": 0.0, "fork": True, "fork_check": 0.0,
        "grid": {"modes": {"tiers": [1]}, "phases": ["beam_on"], "sizes": [0.25, 0.6, 1.0],
                 "lasts": [{"blip": True}, {"s": 0.5}, {}], "after_s": {"beam_on": [0.2, 3.0]}}})
    return tuple(static_cases(config, catalogue()))


def cpu_s() -> float:
    """Of this process and all its copies."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in both)


def rows() -> list[Row]:
    """Two figures; what is loaded and compiled first does not count."""
    found = run_batch(cases())
    branching = {row.case_id for row in found if row.way == "fork" and row.outcome != "crashed"}
    some = tuple(case for case in cases() if case.id in branching)
    begin = cpu_s()
    run_batch(some)
    branched = len(some) / (cpu_s() - begin)
    sample = some[:: max(1, len(some) // WHOLE)]
    begin = cpu_s()
    run_whole(sample)
    whole = len(sample) / (cpu_s() - begin)
    note = f"{len(some)} faults of {len({case.labels.modes for case in some})} modes; {branched / whole:.1f} x from the beginning"
    return [Row("faults, branched", branched, "per core-s", "> 50, goal 100", note),
            Row("faults, from the beginning", whole, "per core-s", "", f"{len(sample)} of them")]
