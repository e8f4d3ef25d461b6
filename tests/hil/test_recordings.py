"""`hil monitor`, `decode` and `replay`: what went over a line, seen live, read later, and said again."""

import json

import pytest

from device_models.interface.stream.tap import HEADER, Tapped, row
from device_models.interface.wire.framing import make, parse
from linac_ctl.cli.main import main
from linac_ctl.hil.client import Client, Piece
from linac_ctl.hil.monitor import watch
from linac_ctl.hil.replay import different, recorded, replay
from tests.hil.bench_device import Device, VirtualLine
from tests.hil.lies import RelativeTargets
from tests.hil.served import served


def client(device: Device) -> Client:
    line = VirtualLine(device)
    return Client(line, line.now_us)


def session(device: Device) -> list[Piece]:
    """Moves an axis, with a repeat, a refusal and a stop byte."""
    asking = client(device)
    for body in ("HI", f"RS {device.session}", "WD 5000", "EN 1", "MV 0 1500", "MV 9 0", "ZZ"):
        asking.ask(body)
    asking.listen(1000.0)
    asking.ask("ST")
    asking.send_line(make(b">", asking.sequence, "ST"))
    asking.say(b"\x18")
    asking.listen(20.0)
    asking.ask("ST")
    return list(asking.traffic)


def differences(device: Device, pieces: list[Piece], tolerance: int = 0, speed: float = 1.0) -> list[str]:
    asking = client(device)
    return [one.difference for one in replay(asking, recorded(pieces), device.session, tolerance, speed) if one.difference]


def test_the_same_device_says_the_same_again():
    assert differences(Device(), session(Device())) == []


def test_another_session_number_is_no_difference_and_its_own_is_used():
    other = Device(session="FFFF0000")
    assert differences(other, session(Device())) == []
    assert other.axes[0].place == 1500.0


def test_a_device_that_moves_otherwise_is_noticed():
    other = RelativeTargets()
    other.axes[0].place = 400.0
    assert any("1900 instead of 1500" in text for text in differences(other, session(Device())))
    assert not any("1900" in text for text in differences(other, session(Device()), tolerance=100_000))


def test_without_waiting_a_move_is_not_there_yet():
    assert any("instead of 1500" in text for text in differences(Device(), session(Device()), speed=0.0))


def test_counters_go_on_counting_and_are_no_difference():
    device = Device()
    asking = client(device)
    asking.ask("HI")
    asking.ask("CN")
    assert differences(device, list(asking.traffic)) == []


def test_a_request_without_a_reply_does_not_take_a_later_one():
    old, new = make(b">", 5, "ST"), make(b">", 6, "HI")
    pieces = [Piece(0, True, old), Piece(1, True, new), Piece(2, False, make(b"<", 6, "OK 1")), Piece(3, True, old),
              Piece(4, False, make(b"<", 5, "OK 2 1 0"))]
    assert [one.reply is not None for one in recorded(pieces)] == [False, True, True]


def test_what_was_not_answered_holds_nothing_up():
    pieces = session(Device())
    end_us = pieces[-1].t_us
    old = [Piece(end_us + i, True, make(b">", 0x20, f"WD {1000 + i}")) for i in range(10)]
    asking = client(Device())
    compared = list(replay(asking, recorded([*pieces, *old]), "0123ABCD", 0, 1.0))
    assert not any(one.difference for one in compared) and asking.now_us() < end_us + 100_000


def test_a_repeat_in_the_recording_belongs_to_its_own_reply():
    asked = recorded(session(Device()))
    assert sum(one.stop for one in asked) == 1
    assert all(one.reply is not None for one in asked if not one.stop)


@pytest.mark.parametrize("was, now, said", [
    ("OK 1 5", "OK 2 5", ""), ("OK 1 5", "ER 2 3 limit", "another answer"),
    ("ER 1 3 limit low=1", "ER 2 4 state", "another answer"),
    ("OK 1 5 6", "OK 1 5", "2 words instead of 3"), ("OK 1 session=1", "OK 1 session=2", ""),
    ("OK 1 5", "OK 1 16", "16 instead of 5"),
    ("OK 1 5", "OK 1 15", ""), ("OK 1 nan", "OK 1 5", "5 instead of nan"),
])
def test_replies_are_compared_word_by_word(was, now, said):
    lines = [parse(make(b"<", 1, text).rstrip()) for text in (was, now)]
    assert different(lines[0], lines[1], 10) == said


def test_a_monitor_asks_for_telemetry_keeps_the_watchdog_fed_and_takes_leave():
    device = Device()
    heard = list(watch(client(device), 5000.0, 100, "bench"))
    assert 45 <= sum(one.meaning.startswith("telemetry") for one in heard) <= 55
    assert device.decoder.counts.expiries == 0 and device.decoder.plain and not device.tm_ms
    assert not any(one.problem for one in heard)


def test_a_monitor_that_only_listens_says_nothing():
    device = Device()
    heard = list(watch(client(device), 300.0, 0, "bench"))
    assert [one.meaning for one in heard] == ["event at 0.000 s: BOOT session=0123ABCD"]
    assert not device.watched


def tap(path, pieces: list[Piece]):
    rows = (row(Tapped(piece.t_us, None, piece.sent, piece.data)) for piece in pieces)
    path.write_text("\n".join((HEADER, *rows, "")), encoding="ascii")
    return path


def test_decode_shows_a_tap_line_by_line(tmp_path, capsys):
    file = tap(tmp_path / "a.tap", session(Device()))
    assert main(["hil", "decode", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "-> >03 EN 1*" in out and "# EN at" in out and "# stop byte" in out and err.endswith(" 0 invalid\n")
    assert main(["hil", "decode", str(file), "--json"]) == 0
    assert all(json.loads(line) for line in capsys.readouterr().out.splitlines())


def test_decode_says_why_a_line_is_not_valid(tmp_path, capsys):
    (tmp_path / "raw").write_bytes(b">01 HI*2CC2\r\n>01 HI*2CC3\r\n\xff\x00")
    assert main(["hil", "decode", str(tmp_path / "raw"), "--only-wrong"]) == 0
    out, err = capsys.readouterr()
    assert out == "-> >01 HI*2CC3   ## CRC 2CC3 instead of 2CC2\n<- \\xFF\\x00   ## no start character: typed, or noise\n"
    assert err == "1 valid lines, 2 invalid\n"


def test_monitor_reads_a_tap_that_is_still_being_written(tmp_path, capsys):
    file = tap(tmp_path / "a.tap", session(Device()))
    file.write_text(file.read_text() + "99 - > >01 half of a l")
    assert main(["hil", "monitor", str(file), "--for", "0"]) == 0
    out = capsys.readouterr().out
    assert "# HI at" in out and "half" not in out


def test_monitor_and_replay_on_a_line(tmp_path, capsys):
    file = tmp_path / "a.tap"
    with served(Device(), tmp_path / "port") as port:
        assert main(["hil", "monitor", str(port), "--telemetry", "50", "--for", "0.4", "--tap", str(file)]) == 0
        assert "# telemetry at" in capsys.readouterr().out
        assert main(["hil", "replay", str(file), "--to", str(port), "--yes", "--speed", "0"]) == 0
    assert " requests, 0 replies differ" in capsys.readouterr().out


@pytest.mark.parametrize("words, code, said", [
    (["decode", "none.tap"], 5, "cannot be read"), (["replay", "none.tap", "--to", "tcp://127.0.0.1:1"], 5, "cannot be read"),
    (["replay", "empty.tap", "--to", "tcp://127.0.0.1:1"], 5, "no valid request in it"),
    (["replay", "good.tap", "--to", "tcp://127.0.0.1:1"], 2, "say --yes if nobody is near what moves"),
    (["monitor", "nowhere"], 2, "says no kind before a colon"), (["probe", "nowhere"], 2, "says no kind before a colon"),
])
def test_what_cannot_be_done_is_one_clear_error(words, code, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tap(tmp_path / "empty.tap", [])
    tap(tmp_path / "good.tap", session(Device()))
    assert main(["hil", *words]) == code
    assert said in capsys.readouterr().err
