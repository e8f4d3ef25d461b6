"""Everything that stops the reference firmware, and what it takes to go on."""

from tests.firmware.bench import STOP_BYTE, frame
from tests.firmware.programs import on_a_socket

BOOT, IDLE, HOLD, MOVE, STOP, COMM = range(6)
POWERED = 1


def test_power_up_is_latched_until_the_session_is_named(fresh):
    fresh.ok("WD 10000")
    assert fresh.status().state == BOOT
    assert fresh.refused("EN 1") == f"4 state state={BOOT}"
    assert fresh.refused("RS 00000000") == "6 session"
    assert fresh.ok(f"RS {fresh.hello()['session']}")[0] == str(IDLE)
    assert fresh.ok("EN 1")[0] == str(HOLD)


def test_every_power_up_has_another_session(program):
    sessions = set()
    for _ in range(5):
        with on_a_socket(program) as line:
            boot = line.wait_for("!00 EV").split()[-1]
            sessions.add(line.hello()["session"])
            assert boot == f"session={line.hello()['session']}"
    assert len(sessions) == 5


def test_a_reset_moves_nothing_and_leaves_the_drives_without_power(still):
    still.ok("MV 1 0")
    still.ok("TK 50")
    still.send(STOP_BYTE)
    still.wait_for("!")
    for _ in range(10):
        still.ok("TK 10")
    stood = still.status()
    assert still.ok(f"RS {still.hello()['session']}")[0] == str(IDLE)
    still.ok("TK 100")
    assert (still.status().state, still.status().first) == (IDLE, stood.first)


def test_the_stop_byte_brakes_and_latches_in_the_middle_of_a_line(still):
    still.ok("MV 1 0")
    still.ok("TK 100")
    line = frame("7F MV 1 1000000")
    still.sequence = 0x7F
    still.send(line[:9] + STOP_BYTE + line[9:])
    assert still.wait_for("!").endswith("EV 990 STOP")
    assert still.wait_for("<7F ER").endswith(f"4 state state={STOP}")
    way = [still.status().first[1]]
    for _ in range(12):
        still.ok("TK 10")
        way.append(still.status().first[1])
    assert way[1] > way[0], "it brakes, it does not freeze"
    assert way[-1] == way[-2]
    assert (still.status().state, still.status().flags & POWERED) == (STOP, 0)
    assert still.refused("EN 1") == f"4 state state={STOP}"


def test_values_in_a_latched_state_are_answered_and_not_followed(still):
    still.send(STOP_BYTE)
    still.wait_for("!")
    for i in range(50):
        state, *_ = still.ok(f"SV 1 {i * 100} -300000 -150000")
        assert state == str(STOP)
    assert still.status().first == (0, -300000, -150000)


def test_silence_ends_in_a_latched_stop(device):
    device.ok("EN 1")
    device.ok("MV 1 1000000")
    device.ok("WD 20")
    assert device.wait_for("!").endswith("WDOG")
    status = device.status()
    assert status.state == COMM
    assert device.refused("MV 0 0") == f"4 state state={COMM}"
    assert device.counters()["expiries"] >= 1


def test_silence_before_the_first_request_is_no_reason(fresh):
    fresh.listen(0.5)
    fresh.send(b"CN\r")
    assert fresh.wait_for("<00 OK").split()[-1] == "0"


def test_no_watchdog_in_lockstep(device):
    device.ok("LS 1")
    device.ok("WD 20")
    device.listen(0.2)
    assert device.status().state == IDLE
    device.ok("WD 10000")
    assert device.counters()["expiries"] == 0


def test_a_repeated_move_is_executed_once(still):
    still.ok("MV 0 1000")
    still.ok("TK 200")
    assert still.status().first[0] == 1000
    request = frame("40 MV 0 3000")
    still.send(request)
    first = still.wait_for("<40 OK")
    still.send(request)
    assert still.wait_for("<40 OK") == first
    still.sequence = 0x40
    assert still.counters()["repeated"] == 1


def test_a_device_that_was_stopped_keeps_its_first_reason(device):
    device.send(STOP_BYTE)
    device.wait_for("!")
    device.ok("WD 20")
    assert device.wait_for("!").endswith("WDOG")
    assert device.status().state == STOP


def test_a_person_can_type_until_a_machine_has_spoken(fresh):
    for typed, answer in ((b"RS\r", "<00 OK"), (b"EN 1\r", "<00 OK"), (b"MV 0 1000\r", "<00 OK")):
        fresh.send(typed)
        fresh.wait_for(answer)
    fresh.wait_for("!")
    fresh.send(b"SV 1 0 0 0\r")
    assert fresh.wait_for("<00 ER").endswith("2 verb")
    fresh.ok("WD 10000")
    before = fresh.counters()["invalid"]
    fresh.send(b"MV 0 0\r")
    assert fresh.counters()["invalid"] == before + 1
    assert fresh.status().first[0] == 1000
