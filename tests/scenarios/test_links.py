"""A device behind bytes that goes quiet, away, mad or back: an interlock with the right name, never an exception."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from device_models.interface.stream.loopback import MemoryStream
from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.framing import REPLY, make
from linac_ctl.links.url import parse_url
from tests.scenarios.bench import Bench, after, at_mu
from tests.support import order_for, quick, small_static

MACHINE = "c_arm_hd120"


def bench(do: Callable[[Bench], None], when: Any = None, device: str = "couch") -> Bench:
    it = order_for(quick(MACHINE), [small_static(quick(MACHINE), mu=40.0, mode="6X")])
    it = replace(it, links={device: parse_url("loopback:")}, longest_s=60.0)
    return Bench(it, [when(do) if when else at_mu(1, 10.0, do)])


def far(it: Bench, device: str = "couch") -> Any:
    assert it.hardware is not None and it.hardware._far is not None
    return it.hardware._far.lines[device]


def run(it: Bench) -> Bench:
    it.run()
    assert len(it.applied) == 1, "the fault did not act"
    return it


def beam_off_after_ms(it: Bench) -> float:
    rows = it.truth()
    on = [c for c, pulses in zip(rows["cycle"], rows["pulses"]) if pulses > 0 and c > it.applied[0]]
    return (on[-1] - it.applied[0]) * 10.0 if on else 0.0


def first_out(it: Bench) -> list[str]:
    return [trip.id for trip in it.linac.panel.history if trip.first_out]


@pytest.mark.parametrize("device", UNITS)
def test_a_plug_pulled_in_the_beam_is_a_latched_stop_by_the_name_of_the_link(device: str) -> None:
    it = run(bench(lambda b: far(b, device)[1].close(), device=device))
    trips = {trip.id: trip for trip in it.linac.panel.history}
    assert first_out(it)[0] == "LINK_DOWN" and trips["LINK_DOWN"].name == "LINK_LOST" and trips["LINK_DOWN"].latched
    assert beam_off_after_ms(it) <= (100.0 if device == "beam" else 20.0) and it.error is not None and it.mu(1) < 11.6


def test_a_device_that_falls_silent_holds_the_beam_after_three_cycles_and_stops_all_after_ten() -> None:
    def mute(b: Bench) -> None:
        b.plant.nodes["silent"][UNITS["couch"].node] = 1.0

    it = run(bench(mute))
    trips = {trip.id: trip for trip in it.linac.panel.history}
    assert first_out(it)[0] == "LINK_LOST" and trips["LINK_LOST"].stop == "hold"
    assert trips["LINK_OUT"].cycle - trips["LINK_LOST"].cycle == 7 and trips["LINK_OUT"].stop == "interrupt"
    assert beam_off_after_ms(it) <= 40.0


def test_a_device_that_powers_up_again_stays_stopped() -> None:
    it = run(bench(lambda b: far(b)[0].power_up()))
    assert first_out(it)[0] == "LINK_DOWN" and {"LINK_ID"} <= {trip.id for trip in it.linac.panel.history}
    port = it.hardware.ports[0] if it.hardware else None
    assert port is not None and port.stats.restarts >= 1 and it.image.nodes["enable"][UNITS["couch"].node] == 0.0


def test_answers_from_the_past_terminate() -> None:
    def replay(b: Bench) -> None:
        device, stream = far(b)
        port = b.hardware.ports[0] if b.hardware else None
        assert isinstance(stream, MemoryStream) and port is not None
        port.sent_ns[(port.sequence + 2) % 256] = 1  # as if it had been asked and never answered
        stream.write(make(REPLY, (port.sequence + 2) % 256, f"OK 20 {device.status()}"))

    it = run(bench(replay))
    assert first_out(it)[0] == "LINK_SEQ" and it.linac.panel.history[0].stop == "terminate"


@pytest.mark.parametrize(("bad", "tripped"), [(2, False), (3, True)])
def test_a_few_spoilt_lines_in_a_second_hold_the_beam_and_one_now_and_then_does_not(bad: int, tripped: bool) -> None:
    def spoil(b: Bench) -> None:
        far(b)[1].write(b"<00 OK 1 2 3*0000\r\n" * bad)

    it = run(bench(spoil))
    assert ("LINK_CRC" in first_out(it)) == tripped
    assert it.mu(1) == pytest.approx(40.0, abs=0.2) if not tripped else True


def test_a_stop_byte_at_the_device_is_noticed_as_a_device_without_power() -> None:
    it = run(bench(lambda b: far(b)[0].hear(b"\x18")))
    port = it.hardware.ports[0] if it.hardware else None
    assert port is not None and port.state == "4" and it.mu(1) < 12.0 and it.error is not None
    assert it.image.nodes["powered"][UNITS["couch"].node] == 0.0


def test_nothing_moves_again_by_itself_when_a_line_comes_back() -> None:
    """The couch was on its way; its line hung up. Whatever comes later, its drive stays without power."""
    it = bench(lambda b: far(b)[1].close(), lambda do: after("step SetUp", 0.05, do))
    it.run()
    assert it.applied and it.image.nodes["enable"][UNITS["couch"].node] == 0.0 and it.mu(1) == 0.0
