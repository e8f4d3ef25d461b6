"""What the reference firmware does when asked."""

import itertools

import pytest

from tests.firmware.bench import Line

BOOT, IDLE, HOLD, MOVE = range(4)
POWERED, REFERENCED, LOCKSTEP, SELF_MOVING = 1, 2, 8, 16


def items(line: Line) -> list[dict[str, str]]:
    """The whole self-description."""
    return [dict(word.split("=", 1) for word in line.ok(f"DD {i}")) for i in range(int(line.ok("DD")[0]))]


def test_hello_has_every_key_of_the_page(fresh):
    told = fresh.hello()
    assert {"proto": "1", "unit": "couch", "axes": "3", "caps": "ls", "maxline": "160", "baud": "0"}.items() <= told.items()
    assert len(told["session"]) == 8 and set(told["session"]) <= set("0123456789ABCDEF")
    assert {"fw", "serial"} <= told.keys()


def test_the_description_names_axes_parameters_and_every_verb(fresh):
    told = items(fresh)
    axes = [item for item in told if "axis" in item]
    assert [(item["axis"], item["name"], item["unit"]) for item in axes] == [
        ("0", "lateral", "um"), ("1", "longitudinal", "um"), ("2", "vertical", "um")]
    assert all(int(item["low"]) < 0 < int(item["high"]) and int(item["vmax"]) > 0 and int(item["amax"]) > 0 for item in axes)
    assert {item["par"] for item in told if "par" in item} == {"WD", "TM"}
    assert {item["verb"] for item in told if "verb" in item} == {
        "HI", "DD", "ST", "SV", "EN", "HT", "RS", "WD", "TM", "CN", "TT", "MV", "MA", "LS", "TK"}


def test_every_verb_that_is_named_is_known(device):
    for item in items(device):
        if "verb" in item and item["verb"] not in ("TT", "HI"):
            assert " 2 verb" not in device.ask(f"{item['verb']} no such words")


def test_a_described_parameter_follows_its_verb(device):
    device.ok("TM 200")
    now = {item["par"]: item["now"] for item in items(device) if "par" in item}
    assert now == {"WD": "10000", "TM": "200"}


@pytest.mark.parametrize("request_, refusal", [
    ("DD 99", "3 limit low=0 high=19"),
    ("EN 2", "3 limit low=0 high=1"),
    ("SV 2 0 0 0", "3 limit low=0 high=1"),
    ("SV 1 260001 0 0", "3 limit axis=0 low=-260000 high=260000"),
    ("SV 1 0 0 -510001", "3 limit axis=2 low=-510000 high=510000"),
    ("SV 1 -2147483648 0 0", "3 limit axis=0 low=-260000 high=260000"),
    ("SV 1 0 0", "1 syntax"),
    ("SV 1 0 0 0 0", "1 syntax"),
    ("SV 1 0 0 nothing", "1 syntax"),
    ("MV 3 0", "3 limit low=0 high=2"),
    ("MV 1 1610001", "3 limit axis=1 low=-1610000 high=1610000"),
    ("MV 0 nan", "1 syntax"),
    ("MV 0", "1 syntax"),
    ("MA 0 0", "1 syntax"),
    ("MA 0 0 510001", "3 limit axis=2 low=-510000 high=510000"),
    ("TK 1", "7 mode"),
    ("RS", "1 syntax"),
    ("AR 0123", "2 verb"),
])
def test_what_cannot_be_done_is_refused_and_nothing_moves(device, request_, refusal):
    device.ok("EN 1")
    before = device.status()
    assert device.refused(request_) == refusal
    assert device.status() == before


def test_a_move_needs_power(device):
    assert device.refused("MV 0 1000") == f"4 state state={IDLE}"
    device.ok("EN 1")
    assert device.ok("MV 0 1000")[0] == str(MOVE)


def test_a_move_arrives_exactly_and_says_so(device):
    device.ok("EN 1")
    device.ok("MV 0 -1000")
    assert device.wait_for("!")[4:].split()[2:] == ["DONE", "axis=0"]
    status = device.status()
    assert (status.state, status.flags, status.first[0]) == (HOLD, POWERED | REFERENCED, -1000)


def test_the_second_encoder_stays_close(device):
    device.ok("EN 1")
    device.ok("MA 2000 -298000 -148000")
    arrived = {device.wait_for("!").split()[-1] for _ in range(3)}
    assert arrived == {"axis=0", "axis=1", "axis=2"}
    assert all(abs(difference) <= 15 for difference in device.status().differences)


def test_halt_ends_a_move_before_its_target_and_keeps_the_power(still):
    still.ok("MV 1 0")
    still.ok("TK 100")
    assert still.ok("HT")[0] == str(MOVE)
    for _ in range(100):
        still.ok("TK 10")
    status = still.status()
    assert (status.state, status.flags & POWERED) == (HOLD, POWERED)
    assert -300000 < status.first[1] < -200000
    assert not any("DONE" in line for line in still.heard)


def test_telemetry_comes_numbered_and_at_its_rate(still):
    assert still.ok("TM 25") == ["30"]
    still.ok("TK 30")
    told = [line for line in still.heard if line.startswith("~")]
    assert [line[:6] for line in told] == [f"~{i:02X} ST" for i in range(10)]
    assert {int(b.split()[2]) - int(a.split()[2]) for a, b in itertools.pairwise(told)} == {30}


def test_no_answer_is_ever_longer_than_the_device_says(device):
    device.ok("EN 1")
    for request in ("HI", "CN", "SV 1 -260000 -1610000 -510000", "ST", *(f"DD {i}" for i in range(20))):
        device.ask(request)
    assert max(map(len, device.heard)) <= 160


def test_after_junk_of_every_byte_the_device_still_answers(device):
    junk = bytes(byte for byte in range(256) if byte != 0x18) * 80
    for _ in range(10):
        device.send(junk + b"\r\n")
        device.ok("ST")
    assert device.counters()["invalid"] >= 10
