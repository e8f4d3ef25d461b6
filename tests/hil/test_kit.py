"""The conformance kit passes a device that keeps to the page, and every check fails on a device that does not."""

import pytest

from linac_ctl.errors import LinkError, UsageError
from linac_ctl.hil.bench import Bench, Options
from linac_ctl.hil.client import Client
from linac_ctl.hil.kit import CHECKS, chosen, examine, meet
from linac_ctl.hil.verdict import Finding, State
from tests.hil.bench_device import Device, VirtualLine
from tests.hil.lies import LIES


def bench(device: Device, delay_us: int = 200, motion: bool = True) -> Bench:
    line = VirtualLine(device, delay_us)
    return meet(Client(line, line.now_us), Options(motion=motion, port="bench"))


def found(device: Device, *names: str, delay_us: int = 200, motion: bool = True) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(bench(device, delay_us, motion), chosen(names))}


def wrong(findings: dict[str, Finding]) -> list[str]:
    return [f"{f.name}: {s.text}: {s.seen}" for f in findings.values() for s in f.wrong]


@pytest.mark.parametrize("caps", [("ls",), ("ar",), ()], ids=["lockstep", "radiates", "plain"])
def test_a_device_that_keeps_to_the_page_passes(caps):
    findings = found(Device(caps=caps))
    assert wrong(findings) == []
    skipped = [finding.name for finding in findings.values() if finding.state is State.SKIPPED]
    assert skipped == ([] if "ar" in caps else ["arming"])


@pytest.mark.parametrize("lie, check", LIES, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_lie_is_found_by_its_check(lie, check):
    assert found(lie(), check)[check].state is State.FAILED


def test_every_check_has_a_device_that_fails_it():
    assert {check.name for check in CHECKS} == {name for _, name in LIES} | {"timing"}


def test_a_slow_device_fails_the_check_of_timing():
    assert found(Device(), "timing", delay_us=40_000)["timing"].state is State.FAILED
    assert found(Device(), "timing", delay_us=20_000)["timing"].state is State.PASSED


def test_bytes_that_are_still_on_a_slow_line_are_waited_for():
    class Slow(Device):
        def do_hi(self):
            return super().do_hi().replace("baud=0", "baud=9600")

        def hear(self, data):
            line.pass_time(int(len(data) * 10e6 / 9600))
            super().hear(data)

    line = VirtualLine(Slow(), 200)
    here = meet(Client(line, line.now_us, wait_ms=300.0), Options(port="bench"))
    assert not wrong({f.name: f for f in examine(here, chosen(("hostile-streams", "long-lines")))})


def test_a_device_whose_session_is_all_zeros_is_no_worse():
    assert not wrong(found(Device(session="00000000")))


def test_an_axis_that_does_not_say_where_it_is_is_not_moved():
    class Lost(Device):
        most = 0.0

        def status(self):
            return f"{self.brief()} nan 0 0 0"

        def pass_time(self, ms):
            super().pass_time(ms)
            self.most = max(self.most, *(abs(axis.place) for axis in self.axes))

    device = Lost()
    device.axes[0].place = 0.0
    findings = found(device)
    assert device.most < 500.0  # moves to the limits are begun, and halted
    assert {name for name in ("moves", "following", "halt", "stop-in-a-move") if findings[name].state is State.SKIPPED} == {
        "moves", "following", "halt", "stop-in-a-move"}


def test_without_motion_nothing_moves_and_no_drive_has_power():
    class Witness(Device):
        had_power = False

        def pass_time(self, ms):
            super().pass_time(ms)
            self.had_power = self.had_power or self.power or any(axis.place for axis in self.axes)

    device = Witness()
    findings = found(device, motion=False)
    assert not device.had_power
    assert {f.name for f in findings.values() if f.state is State.SKIPPED} == {check.name for check in CHECKS if check.acts}


def test_a_device_is_left_in_terminal_mode_without_power_or_telemetry():
    device = Device()
    found(device, "moves")
    assert device.decoder.plain and not device.power and not device.tm_ms and device.state == 1


def test_every_check_shows_what_was_sent_and_what_came():
    for finding in found(Device()).values():
        assert any(heard.sent for heard in finding.traffic) and any(not heard.sent for heard in finding.traffic)
        assert finding.clause and finding.claim


def test_a_line_that_goes_down_is_a_finding_and_the_kit_goes_on():
    class Unplugged(Device):
        def do_tm(self, ms=None):
            line.up, line.why = False, "bench: the adapter was unplugged"
            return super().do_tm(ms)

    device = Unplugged()
    line = VirtualLine(device)
    line.write = lambda frame: line.up and VirtualLine.write(line, frame)  # type: ignore[method-assign]
    here = meet(Client(line, line.now_us), Options(port="bench"))
    findings = examine(here, chosen(("handshake", "telemetry", "clock")))
    assert [finding.state for finding in findings] == [State.FAILED] * 3
    assert "the adapter was unplugged" in findings[0].wrong[0].seen


def test_a_check_that_there_is_not_is_named():
    with pytest.raises(UsageError, match="no check 'watchdogs'; there are handshake, "):
        chosen(("watchdogs",))


class Silent(Device):
    def hear(self, data):
        pass


class Echo(Device):
    def hear(self, data):
        self.out += data


class Modem(Device):
    def hear(self, data):
        self.out += b"\r\nERROR\r\n"


class WrongRate(Device):
    def hear(self, data):
        self.out += bytes(byte | 0x80 for byte in data)


class Version2(Device):
    def do_hi(self):
        return super().do_hi().replace("proto=1", "proto=2")


@pytest.mark.parametrize("device, words", [
    (Silent, "nothing came within 2000 ms; is the device on"), (Echo, "only our own words came back"),
    (Modem, "something else speaks here"), (WrongRate, "the baud rate is probably another one"),
    (Version2, "speaks protocol version 2; known here is 1"),
])
def test_who_is_no_such_device_is_told_apart(device, words):
    class Mute(device):
        def event(self, text):
            pass

    with pytest.raises(LinkError, match=words):
        bench(Mute())
