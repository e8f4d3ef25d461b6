"""Chambers, counters and filters that fail under beam: truth never gets far beyond what was prescribed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from linac_ctl.order import Order
from tests.scenarios.bench import DT_S, Bench, Fault, at_mu
from tests.support import machine, order_for, small_static

M = machine()
PRESCRIBED_MU = 100.0
OWN_DOSE_CHECKS = ("MU_DIS", "MU_MONO", "RATE_PLAUS", "DOSE_RATE_LO", "DOSE_RATE_HI", "DOSE_PER_PULSE", "PULSE_HIGH",
                   "PULSE_LOW", "TIMER_DIS", "FIELD_TIME")


def field(mode: str = "6X", mu: float = PRESCRIBED_MU) -> Any:
    """Ten seconds of beam."""
    return small_static(M, mu=mu, mode=mode)


def gain(*values: float) -> Callable[[Bench], None]:
    """Chamber 1, chamber 2 and the safety channel's own chamber from now on."""
    def do(bench: Bench) -> None:
        bench.plant.chambers["gain"] = values
    return do


def blind(order: Order) -> Order:
    """The same order without any of the controller's own checks of dose."""
    rows = tuple(row for row in order.table.rows if row.id not in OWN_DOSE_CHECKS)
    return replace(order, table=order.table.model_copy(update={"rows": rows}))


def ended(order: Order, fault: Fault) -> Bench:
    """A run in which the fault acted and the field was lost."""
    bench = Bench(order, [fault])
    bench.run()
    assert bench.applied, "the fault never acted"
    assert bench.error is not None and not bench.outcome().complete
    return bench


def test_a_chamber_that_reads_half_is_caught_by_the_other_one_long_before_the_end() -> None:
    bench = ended(order_for(beams=[field()]), at_mu(1, 20.0, gain(0.5, 1.0, 1.0)))
    assert set(bench.first_out()) & {"MU_DIS", "RATE_PLAUS", "PULSE_LOW"}
    assert bench.mu(1) < 25.0
    assert "terminated" in str(bench.error)


def test_a_chamber_that_reads_half_from_the_first_pulse_on_is_caught_as_well() -> None:
    bench = Bench(order_for(beams=[field()]))
    bench.plant.chambers["gain"][0] = 0.5
    bench.run()
    assert set(bench.first_out()) & {"MU_DIS", "RATE_PLAUS", "PULSE_LOW"} and bench.mu(1) < 8.0


@pytest.mark.parametrize("gains, most_mu", [((0.0, 1.0, 1.0), 26.0), ((1.0, 0.0, 1.0), 26.0), ((0.0, 0.0, 1.0), 26.0)])
def test_dead_chambers_end_the_field_within_a_second(gains: tuple[float, ...], most_mu: float) -> None:
    bench = ended(order_for(beams=[field()]), at_mu(1, 20.0, gain(*gains)))
    assert bench.mu(1) < most_mu
    assert bench.last_pulse_s() - bench.applied[0] * DT_S < 1.0


def test_the_second_channel_ends_the_field_alone_when_the_controller_is_blind() -> None:
    bench = ended(blind(order_for(beams=[field()])), at_mu(1, 20.0, gain(0.5, 0.5, 1.0)))
    assert bench.first_out() == ["MU2_TERM"]
    assert PRESCRIBED_MU < bench.mu(1) <= PRESCRIBED_MU + 1.2  # one MU of margin, and its chamber's calibration


def test_the_backup_timer_ends_the_field_when_every_chamber_is_dead() -> None:
    def dead(bench: Bench) -> None:
        bench.engine.trace.state["faults"] = 4  # three chambers and the interlocks; more than one of them is past SI-05
        gain(0.0, 0.0, 0.0)(bench)

    bench = ended(blind(order_for(beams=[field(mu=80.0)])), at_mu(1, 20.0, dead))
    assert bench.first_out() == ["DOSE_TIMER"]
    assert bench.mu(1) <= 80.0 * 1.25 + 3.0
    limit_s = float(bench.plant.safety["time_limit_s"][0])
    assert float(bench.plant.safety["beam_s"][0]) == pytest.approx(limit_s, abs=0.05)


def test_a_pulse_that_carries_too_much_dose_ends_the_field_in_the_cycle_that_saw_it() -> None:
    def runaway(bench: Bench) -> None:
        bench.plant.beam["pulse_factor"] = 8.0

    bench = ended(order_for(beams=[field()]), at_mu(1, 20.0, runaway))
    assert bench.first_out()[0] in ("DOSE_PER_PULSE", "DOSE_RATE_HI")
    assert bench.mu(1) < 20.0 + 3 * 8 * 0.1 + 0.3
    assert bench.last_pulse_s() - bench.applied[0] * DT_S <= 0.02


def test_a_trigger_that_ignores_the_controller_is_seen_between_two_fields_and_stopped() -> None:
    def stuck(bench: Bench) -> None:
        bench.plant.beam["stuck_on"] = 1.0

    beams = [small_static(M, number=1, mu=20.0, mode="6X"), small_static(M, number=2, mu=20.0, mode="6X", gantry=20.0)]
    bench = Bench(order_for(beams=beams), [at_mu(1, 10.0, stuck)])
    bench.run()
    assert bench.applied and set(bench.tripped()) & {"BEAM_STUCK", "RAD_WHEN_OFF"}
    assert bench.error is not None and bench.mu(1) + bench.mu(2) <= 20.0 + 1.2
    assert not [o for o in bench.session.outcomes if o.number == 2 and o.complete]


def test_a_filter_that_moves_under_beam_ends_it_within_20_ms_and_only_an_engineer_may_reset() -> None:
    def slip(bench: Bench) -> None:
        bench.plant.carousel["offset_deg"] = 5.0

    bench = ended(order_for(beams=[field("6FFF")]), at_mu(1, 20.0, slip))
    trip = next(t for t in bench.linac.panel.history if t.id == "MODE")
    assert trip.first_out and trip.cycle - bench.applied[0] <= 2
    assert bench.last_pulse_s() - bench.applied[0] * DT_S <= 0.02
    assert bench.linac.panel.latches()["MODE"]["reset_role"] == "engineer"


def test_the_same_dose_latch_twice_in_a_field_is_not_for_the_console() -> None:
    def count_from_nowhere(bench: Bench) -> None:
        bench.plant.chambers["counter_mu"][1] += 5.0

    def ready_again(bench: Bench) -> bool:
        return int(bench.control.job["phase"][0]) == 4 and len(bench.applied) < 1 + len(bench.said("reset MU_DIS"))

    bench = Bench(order_for(beams=[field()]), [Fault(ready_again, count_from_nowhere), Fault(ready_again, count_from_nowhere)])
    bench.run()
    assert len(bench.applied) == 2 and len(bench.said("reset MU_DIS")) == 1
    assert "an engineer has to look" in str(bench.error)
    assert bench.mu(1) == 0.0 and "MU_DIS" in bench.linac.panel.latches()
