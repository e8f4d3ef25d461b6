"""The rules of the protocol page, on a virtual device with a real plant behind it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_models.interface.wire.framing import EVENT, REPLY, STOP_BYTE, TELEMETRY
from device_models.serve.states import State
from tests.serve.rig import Bench

STOP = bytes([STOP_BYTE])


@pytest.fixture
def gantry() -> Bench:
    it = Bench("gantry")
    it.ready()
    return it


def events(bench: Bench, name: str = "") -> list[str]:
    return [" ".join(line.args[1:]) for line in bench.lines(name) if line.start == EVENT]


def test_a_device_powers_up_latched_and_says_so() -> None:
    bench = Bench("gantry")
    assert events(bench) == [f"BOOT session={bench.device.session}"]
    assert bench.ask("ST")[:2] == ["OK", "0"] and bench.ask("EN 1") == ["ER", "4", "state", "state=0"]


def test_only_the_session_number_of_this_power_up_unlatches_and_nothing_moves_after_it() -> None:
    bench = Bench("gantry")
    first = bench.device.session
    assert bench.ask("RS 00000000") == ["ER", "6", "session"] and bench.ask(f"RS {first}")[:2] == ["OK", "1"]
    bench.device.power_up()
    assert bench.device.session != first and bench.ask(f"RS {first}") == ["ER", "6", "session"]


def test_a_repeat_is_answered_with_the_same_bytes_and_not_done_twice(gantry: Bench) -> None:
    gantry.ask("LS 1")
    gantry.lines()
    request = gantry.send("TK 7")
    once, cycle = gantry.bytes["gantry"], gantry.rack.cycle
    gantry.device.hear(request)
    gantry.rack.serve()
    assert gantry.bytes["gantry"] == once * 2 and gantry.rack.cycle == cycle == 7 and gantry.device.counts.repeated == 1


def test_a_request_from_the_past_is_dropped_and_counted(gantry: Bench) -> None:
    gantry.send("MV 0 5000", sequence=100)
    gantry.lines()
    for sequence in (99, 229, 100):  # 255 and 129 ahead; the same number with another CRC
        gantry.send("EN 1", sequence=sequence)
    assert gantry.lines() == [] and gantry.device.counts.old == 3 and gantry.device.state is State.IDLE
    gantry.send("EN 1", sequence=228)
    assert gantry.lines()[0].verb == "OK"


def test_hello_is_never_answered_from_memory_and_starts_the_count_anew(gantry: Bench) -> None:
    gantry.send("ST", sequence=100)
    gantry.lines()
    for _ in range(2):
        gantry.send("HI", sequence=50)
    assert [line.verb for line in gantry.lines()] == ["OK", "OK"] and gantry.device.counts.repeated == 0


@pytest.mark.parametrize(("over", "refused"), [(0, False), (1, True)])
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("body", ["SV 1 {}", "MV 0 {}", "MA {}"])
def test_a_target_at_its_limit_is_taken_and_one_past_it_refused_without_any_motion(
        gantry: Bench, body: str, end: int, over: int, refused: bool) -> None:
    gantry.ask("EN 1")
    before = float(gantry.wires()["setpoint"][0])
    limit = gantry.device.limits[0][end] + (over if end else -over)
    reply = gantry.ask(body.format(limit))
    low, high = gantry.device.limits[0][:2]
    assert (reply == ["ER", "3", "limit", "axis=0", f"low={low}", f"high={high}"]) == refused
    assert not refused or float(gantry.wires()["setpoint"][0]) == before


def test_without_drive_power_targets_are_not_looked_at(gantry: Bench) -> None:
    assert gantry.ask("SV 0 99999999")[0] == "OK" and gantry.image.nodes["enable"][0] == 0.0


@pytest.mark.parametrize("body", [
    "SV", "SV 2 0", "SV 1", "SV 1 0 0", "SV 1 1.5", "SV 1 abc", "SV 1 B=AAAA", "MV", "MV 0", "MV 1 0", "MV 0 nan", "EN", "EN 2",
    "EN 1 1", "RS", "WD 19", "WD 10001", "WD x", "TM -1", "TM 10001", "LS 2", "HI 1", "ST 1", "HT 1", "CN 1", "DD 99", "TK 0",
    "TK 1001",
])
def test_wrong_arguments_are_refused_once_and_change_nothing(gantry: Bench, body: str) -> None:
    state = gantry.device.state
    assert gantry.ask(body)[:2] in (["ER", "1"], ["ER", "3"]) and gantry.device.state is state


def test_a_verb_that_is_not_the_devices_is_refused(gantry: Bench) -> None:
    for body in ("XX", "AR 0001", "FI 0001", "IM 1"):
        assert gantry.ask(body) == ["ER", "2", "verb"]
    assert gantry.ask("TK 1") == ["ER", "7", "mode"]


@pytest.mark.parametrize(("late", "latched"), [(0, False), (1, True)])
def test_the_watchdog_waits_its_time_and_not_a_cycle_longer(gantry: Bench, late: int, latched: bool) -> None:
    gantry.ask("WD 100")
    gantry.lines()
    gantry.run(10 + 1 + late)
    assert (gantry.device.state is State.COMM) == latched and (events(gantry) == ["WDOG"]) == latched


def test_a_lost_host_ends_in_a_controlled_stop_that_only_a_reset_ends(gantry: Bench) -> None:
    gantry.ask("EN 1")
    gantry.ask("MV 0 90000")
    gantry.ask("WD 100")
    gantry.run(11)
    speed = abs(float(gantry.plant.gantry["velocity"][0]))
    gantry.run(2)
    assert gantry.device.state is State.COMM and speed > 0.05
    assert gantry.image.nodes["powered"][0] == 1.0  # it brakes under power
    gantry.run(600)
    assert gantry.image.nodes["powered"][0] == 0.0 and abs(float(gantry.plant.gantry["velocity"][0])) < 1e-3
    assert gantry.ask("SV 1 0")[:2] == ["OK", "5"] and gantry.image.nodes["enable"][0] == 0.0
    assert gantry.ask("EN 1")[:3] == ["ER", "4", "state"]
    assert gantry.ask(f"RS {gantry.device.session}")[1] == "1" and gantry.image.nodes["enable"][0] == 0.0


def test_a_refused_request_and_a_repeat_feed_the_watchdog_and_junk_does_not(gantry: Bench) -> None:
    gantry.ask("WD 100")
    request = gantry.send("XX")
    for _ in range(5):
        gantry.run(9)
        gantry.device.hear(request)
    assert gantry.device.state is State.IDLE
    gantry.run(9)
    gantry.device.hear(b">01 HI*0000\r\n")
    gantry.run(3)
    assert gantry.device.state is State.COMM


@pytest.mark.parametrize("cut", range(14))
def test_the_stop_byte_stops_anywhere_and_leaves_the_line_what_it_was(gantry: Bench, cut: int) -> None:
    gantry.ask("EN 1")
    gantry.lines()
    request = b">63 WD 500*" + b"????\r\n"
    request = request[:11] + gantry_crc(request[:10]) + b"\r\n"
    gantry.device.hear(request[:cut] + STOP + request[cut:])
    said = gantry.lines()
    assert gantry.device.state is State.STOP and gantry.image.nodes["enable"][0] == 0.0
    assert [line.args[1] for line in said if line.start == EVENT] == ["STOP"]
    assert [line.args[1] for line in said if line.start == REPLY] == ["500"] and gantry.device.counts.stops == 1


def gantry_crc(text: bytes) -> bytes:
    import binascii

    return f"{binascii.crc_hqx(text, 0xFFFF):04X}".encode()


def test_a_person_may_type_until_the_first_line_with_a_crc(gantry: Bench) -> None:
    bench = Bench("gantry")
    bench.run(4000)
    bench.lines()
    for typed in (b"RS\r\n", b"EN 1\r\n", b"MV 0 1000\r\n"):
        bench.device.hear(typed)
    assert [line.verb for line in bench.lines()] == ["OK"] * 3 and bench.device.state is State.MOVE
    bench.run(100)
    assert bench.device.state is not State.COMM  # nobody types as fast as a watchdog
    for forbidden in (b"SV 1 0\r\n", b"LS 1\r\n"):
        bench.device.hear(forbidden)
    assert [line.args[2] for line in bench.lines() if line.start == REPLY] == ["verb", "verb"]
    bench.send("ST")
    bench.lines()
    invalid = bench.device.counts.invalid
    bench.device.hear(b"ST\r\n")
    assert bench.lines() == [] and bench.device.counts.invalid == invalid + 1
    bench.ask("TT")
    bench.device.hear(b"ST\r\n")
    assert bench.lines()[0].verb == "OK"


def test_in_lockstep_time_passes_only_when_asked_and_begins_at_zero(gantry: Bench) -> None:
    assert gantry.ask("LS 1") == ["OK", "11"] or gantry.ask("LS 1")[0] == "OK"
    times = []
    for _ in range(3):
        gantry.send("SV 0 0")
        times.append([int(line.args[0]) for line in gantry.lines() if line.start == REPLY])
    assert times == [[0], [10], [20]]
    gantry.send("TK 5")
    assert [line.args[0] for line in gantry.lines()] == ["70"] and gantry.rack.cycle == 8


def test_two_devices_in_lockstep_wait_for_each_other() -> None:
    bench = Bench("gantry", "couch")
    for name in ("gantry", "couch"):
        bench.ask(f"RS {bench.devices[name].session}", name)
        bench.ask("LS 1", name)
    bench.lines("gantry"), bench.lines("couch")
    bench.send("SV 0 0", "gantry")
    assert bench.lines("gantry") == [] and bench.rack.cycle == 0
    bench.send("SV 0 0 0 0 0 0 0", "couch")
    assert len(bench.lines("gantry")) == len(bench.lines("couch")) == 1 and bench.rack.cycle == 1


def test_a_client_that_goes_away_in_lockstep_leaves_a_stopped_device_whose_time_runs() -> None:
    bench = Bench("gantry")
    bench.ready()
    bench.ask("LS 1")
    bench.ask("SV 1 0")
    bench.device.line_lost()
    assert bench.device.state is State.COMM and not bench.rack.lockstep and bench.device.decoder.plain


def test_telemetry_comes_at_its_rate_and_numbers_itself(gantry: Bench) -> None:
    assert gantry.ask("TM 35") == ["OK", "40"]
    gantry.run(41)
    told = [line for line in gantry.lines() if line.start == TELEMETRY]
    assert len(told) == 10 and [line.sequence for line in told] == list(range(10))
    assert {int(b.args[0]) - int(a.args[0]) for a, b in pairwise(told)} == {40}
    assert gantry.ask("TM 0") == ["OK", "0"]


def test_a_device_whose_electronics_are_dead_says_nothing(gantry: Bench) -> None:
    gantry.plant.nodes["silent"][0] = 1.0
    gantry.lines()
    gantry.send("ST")
    assert gantry.lines() == []


def test_a_move_of_its_own_arrives_and_is_told_once(gantry: Bench) -> None:
    gantry.ask("EN 1")
    assert gantry.ask("MV 0 20000")[1] == "3"
    gantry.run(900)
    assert events(gantry) == ["DONE axis=0"] and float(gantry.wires()["setpoint"][0]) == 20.0
    assert abs(float(gantry.plant.gantry["position"][0]) - 20.0) < 0.1


def test_a_halt_ends_a_move_under_power_and_is_no_latch(gantry: Bench) -> None:
    gantry.ask("EN 1")
    gantry.ask("MV 0 90000")
    gantry.run(200)
    gantry.ask("HT")
    gantry.run(600)
    assert gantry.device.state is State.HOLD and gantry.image.nodes["powered"][0] == 1.0
    assert abs(float(gantry.plant.gantry["velocity"][0])) < 0.01 and float(gantry.wires()["setpoint"][0]) < 89.0


# --- radiation

@pytest.fixture
def beam() -> Bench:
    it = Bench("beam")
    it.ask(f"RS {it.device.session}")
    it.ask("WD 10000")
    return it


def wanted(bench: Bench, permit: int = 1) -> float:
    bench.ask(f"SV 1 {permit} 1 10000 0 0")
    return float(bench.wires()["permit"][0])


def test_without_two_steps_there_is_no_permit_whatever_is_asked(beam: Bench) -> None:
    assert wanted(beam) == 0.0 and beam.ask("FI 1234") == ["ER", "5", "unarmed"]
    beam.ask("AR 1234")
    assert wanted(beam) == 0.0
    assert beam.ask("FI 1235") == ["ER", "5", "unarmed"] and beam.ask("FI 1234") == ["ER", "5", "unarmed"]  # one try each


def test_two_steps_arm_and_the_permit_that_goes_away_ends_it(beam: Bench) -> None:
    beam.ask("AR 1234")
    assert beam.ask("FI 1234") == ["OK", "4"] or beam.device.arming.armed
    assert wanted(beam) == 1.0
    beam.run(300)
    assert wanted(beam) == 1.0  # as long as it lasts
    assert wanted(beam, 0) == 0.0 and wanted(beam) == 0.0


@pytest.mark.parametrize(("cycles", "armed"), [(200, True), (201, False)])
def test_the_second_step_has_two_seconds(beam: Bench, cycles: int, armed: bool) -> None:
    beam.run(1)
    beam.ask("AR 00FF")
    beam.run(cycles)
    assert (beam.ask("FI 00FF")[0] == "OK") == armed


@pytest.mark.parametrize("end", ["HT", "AR 9999", "stop", "watchdog"])
def test_anything_that_stops_ends_the_arming(beam: Bench, end: str) -> None:
    beam.ask("AR 1234"), beam.ask("FI 1234")
    assert wanted(beam) == 1.0
    if end == "stop":
        beam.device.hear(STOP)
    elif end == "watchdog":
        beam.ask("WD 20")
        beam.run(5)
    else:
        beam.ask(end)
    assert not beam.device.arming.armed
    beam.ask(f"RS {beam.device.session}")
    assert wanted(beam) == 0.0


def test_a_nonce_is_four_hex_digits(beam: Bench) -> None:
    for nonce in ("12", "12345", "abcd", "12G4"):
        assert beam.ask(f"AR {nonce}")[:2] == ["ER", "1"]


# --- anything at all

@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"EN 1\r\n", b"RS\r\n", b">01 HI*2CC2\r\n", STOP])),
                max_size=20))
def test_no_bytes_break_a_device(pieces: list[bytes]) -> None:
    bench = Bench("gantry")
    for piece in pieces:
        bench.device.hear(piece)
        bench.rack.serve()
        bench.run(1)
    bench.lines()  # whatever it said is valid
    bench.send("HI", sequence=7)
    assert bench.lines()[-1].verb == "OK"
