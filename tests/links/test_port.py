"""A port turns whatever a peer does into readings, counts and silence; it raises nothing and resumes nothing."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_models.interface.image import Image, Node, new_image
from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.framing import REPLY, Decoder, make
from linac_ctl.links.identity import Identity
from linac_ctl.links.port import LinkPort
from tests.links.device import Far, port
from tests.support import machine


def image() -> Image:
    it = new_image(machine().controller.sizes())
    it.couch["setpoint"] = [1.0, -2.5, 0.001, 0.0, 0.0, 0.0]
    return it


def cycle(it: LinkPort, wires: Image, far: Far, number: int) -> None:
    far.t_ms = number * 10
    it.send(wires, number)
    it.receive(wires, number)


def sent(far: Far) -> list[str]:
    return [" ".join((line.verb, *line.args)) for line in far.heard]


def test_setpoints_go_out_and_readings_come_in_as_whole_numbers() -> None:
    it, far = port(SV="2 3 1000 -2500 1 10 0 -7 5 -5 0 nan 0 1")
    wires = image()
    wires.nodes["enable"][Node.COUCH] = 1.0
    cycle(it, wires, far, 0)
    assert sent(far) == ["SV 1 1000 -2500 1 0 0 0"]
    assert list(wires.couch["readback"]) == [1.0, -2.5, 0.001, 0.01, 0.0, -0.007]
    assert list(wires.couch["readback_2"])[:3] == [1.005, -2.505, 0.001] and np.isnan(wires.couch["readback_2"][3])
    node = wires.nodes[Node.COUCH]
    assert (node["powered"], node["calibrated"], node["sampled_cycle"], node["named"]) == (1.0, 1.0, 0, Node.COUCH)


def test_a_silent_device_leaves_old_readings_with_their_old_stamp() -> None:
    it, far = port()
    wires = image()
    cycle(it, wires, far, 0)
    far.answers["SV"] = None
    for number in (1, 2, 3):
        cycle(it, wires, far, number)
        assert it.silent_cycles == number and wires.nodes[Node.COUCH]["sampled_cycle"] == 0
    assert it.stats.missed_cycles == it.stats.longest_silence_cycles == 3 and it.up
    far.answers["SV"] = "2 3 0 0 0 0 0 0 0 0 0 0 0 0"
    cycle(it, wires, far, 4)
    assert it.silent_cycles == 0 and wires.nodes[Node.COUCH]["sampled_cycle"] == 4


def test_a_line_that_hangs_up_is_down_for_good() -> None:
    it, far = port()
    wires = image()
    cycle(it, wires, far, 0)
    far.stream.close()
    cycle(it, wires, far, 1)
    assert not it.up and "other end closed" in it.why and it.silent_cycles == 1 and it.stats.unsent == 1


@pytest.mark.parametrize("how", ["event", "status"])
def test_a_device_that_has_powered_up_again_is_not_the_one_we_met(how: str) -> None:
    it, far = port()
    wires = image()
    cycle(it, wires, far, 0)
    if how == "event":
        far.event("BOOT session=00000001")
    else:
        far.answers["SV"] = "0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    cycle(it, wires, far, 1)
    cycle(it, wires, far, 2)
    assert not it.identified and not it.up and it.stats.restarts >= 1 and it.silent_cycles == 2
    assert "powered up again" in it.why


def test_an_answer_from_the_past_is_counted_and_not_used() -> None:
    it, far = port()
    wires = image()
    cycle(it, wires, far, 5)
    far.answers["SV"] = "2 3 9000 0 0 0 0 0 0 0 0 0 0 0"
    it.send(wires, 6)
    far_time, far.t_ms = far.t_ms, 40
    it.receive(wires, 6)
    far.t_ms = 40
    it.send(wires, 7)
    it.receive(wires, 7)
    assert it.stats.old == 1 and far_time == 50


def test_an_answer_that_comes_twice_is_counted() -> None:
    it, far = port()
    wires = image()
    far.spoil = lambda line: line + line
    for number in range(3):
        cycle(it, wires, far, number)
    assert it.stats.repeated == 3 and it.silent_cycles == 0


def test_a_spoilt_answer_is_no_answer() -> None:
    it, far = port()
    wires = image()
    cycle(it, wires, far, 0)
    far.spoil = lambda line: line.replace(b"3 0", b"3 1", 1)
    cycle(it, wires, far, 1)
    assert it.stats.invalid == 1 and it.silent_cycles == 1 and wires.couch["readback"][0] == 0.0


@pytest.mark.parametrize("answer", ["ER 3 limit axis=0 low=0 high=1", "2 3", "2 3 1 2 3", "x 3 0 0 0 0 0 0 0 0 0 0 0 0",
                                    "2 y 0 0 0 0 0 0 0 0 0 0 0 0"])
def test_what_is_no_status_is_refused_and_counts_as_silence(answer: str) -> None:
    it, far = port(SV=answer)
    wires = image()
    cycle(it, wires, far, 0)
    assert it.silent_cycles == 1 and it.stats.refused == (0 if answer == "2 3" else 1)
    assert wires.nodes[Node.COUCH]["sampled_cycle"] < 0


def test_a_latched_device_is_reset_only_when_power_is_asked_for_anew() -> None:
    it, far = port(SV="5 2 0 0 0 0 0 0 0 0 0 0 0 0")
    wires = image()
    wires.nodes["enable"][Node.COUCH] = 1.0
    cycle(it, wires, far, 0)
    for number in (1, 2, 3):
        cycle(it, wires, far, number)
    assert "RS" not in far.verbs  # the controller still wants power, and nobody has reset anything
    wires.nodes["enable"][Node.COUCH] = 0.0
    cycle(it, wires, far, 4)
    assert "RS" not in far.verbs
    wires.nodes["enable"][Node.COUCH] = 1.0
    cycle(it, wires, far, 5)
    assert sent(far)[-2] == "RS ABCD1234" and far.verbs[-1] == "SV"


@pytest.mark.parametrize(("lockstep", "said"), [(False, 1), (True, 0)])
def test_whatever_ran_out_before_the_first_cycle_is_reset_once_where_the_device_has_its_own_time(lockstep: bool, said: int) -> None:
    it, far = port(lockstep=lockstep)
    wires = image()
    cycle(it, wires, far, 0)
    wires.nodes["enable"][Node.COUCH] = 1.0
    for number in (1, 2, 3):
        cycle(it, wires, far, number)
    assert far.verbs.count("RS") == said and far.verbs[-1] == "SV"


def test_a_permit_is_armed_in_two_steps_every_time_it_is_given() -> None:
    it, far = port(unit="beam")
    wires = image()
    for number, permit in enumerate((0.0, 1.0, 1.0, 0.0, 1.0)):
        wires.beam["permit"] = permit
        cycle(it, wires, far, number)
    verbs = " ".join(far.verbs)
    assert verbs == "SV AR FI SV SV SV AR FI SV"
    asked = [line.args[0] for line in far.heard if line.verb in ("AR", "FI")]
    assert asked[0] == asked[1] != asked[2] == asked[3]


def test_a_free_running_devices_readings_are_as_old_as_its_clock_says() -> None:
    now = [0]
    it, far = port(lockstep=False, now_ns=lambda: now[0] + 1)
    wires = image()
    for number in range(5):
        now[0] = number * 10_000_000
        cycle(it, wires, far, number)
    assert wires.nodes[Node.COUCH]["sampled_cycle"] == 4
    late = far.t_ms - 20
    now[0] += 10_000_000
    it.send(wires, 5)
    far_answer = it.sequence
    assert far_answer == it.expected
    now[0] += 20_000_000  # the answer has been on its way for two cycles
    it.receive(wires, 7)
    assert wires.nodes[Node.COUCH]["sampled_cycle"] <= 5 and late > 0


def far_apart(lockstep: bool, *stamps_ms: int) -> list[float]:
    """What the image says after each status with such a stamp."""
    it, far = port(lockstep=lockstep)
    wires, found = image(), []
    for number, stamp in enumerate(stamps_ms):
        far.t_ms = stamp
        it.send(wires, number)
        it.receive(wires, number)
        found.append(float(wires.nodes[Node.COUCH]["apart_cycles"]))
    return found


def test_a_free_running_port_says_how_far_apart_readings_are_by_the_devices_own_clock() -> None:
    assert far_apart(False, 1000, 1010, 1030, 1035) == [1.0, 1.0, 2.0, 0.5]
    assert far_apart(False, 2**32 - 10, 10) == [1.0, 2.0]  # its clock begins again at 2^32 ms
    assert far_apart(True, 0, 10, 30) == [1.0, 1.0, 1.0]  # in lockstep a reading is of this cycle


class Everything:
    """Bytes that a peer may send: valid lines of the wrong kind, halves, and anything."""

    lines = st.sampled_from([b"<0B OK 10 2 3*0000\r\n", b"<", b"!00 EV 0 BOOT*", b"\x18", b"\r\n", b"<0B OK\r\n",
                             b"~00 ST 5 2 3*FFFF\r\n"])
    pieces = st.lists(st.one_of(lines, st.binary(max_size=30)), max_size=20)


@settings(max_examples=150, deadline=None)
@given(Everything.pieces)
def test_no_bytes_break_a_port_or_move_a_reading(pieces: list[bytes]) -> None:
    it, far = port(SV=None)
    wires = image()
    wires.couch["readback"] = 3.0
    for number, piece in enumerate(pieces):
        far.stream.write(piece)
        cycle(it, wires, far, number)
    assert (wires.couch["readback"] == 3.0).all() and it.silent_cycles == len(pieces)


def test_leaving_takes_power_away_and_gives_time_back() -> None:
    it, far = port()
    cycle(it, image(), far, 0)
    it.leave()
    assert sent(far)[-3:] == ["HT", "EN 0", "LS 0"]


def test_a_device_that_does_not_read_is_counted_and_costs_no_time() -> None:
    it, far = port()
    wires: Any = image()
    far.stream.detach()  # nobody reads: the line fills
    for number in range(3000):
        it.send(wires, number)
    assert it.stats.unsent > 0 and it.stats.sent + it.stats.unsent == 3000


class Slow:
    """A stream whose bytes take a while, on a clock of its own."""

    def __init__(self) -> None:
        self.now_ns, self.up, self.why, self.dropped = 0, True, "", 0
        self.due: list[tuple[int, bytes]] = []
        self.takes_ns = 1_000_000

    def write(self, frame: bytes) -> bool:
        from device_models.interface.wire.framing import DEVICE_HEARS, Decoder

        for line in Decoder(hears=DEVICE_HEARS).feed(frame):
            body = f"OK {len(self.due) * 10} 2 3 {' '.join(['0'] * 12)}"
            self.due.append((self.now_ns + self.takes_ns, make(REPLY, line.sequence, body)))
        return True

    def read(self, timeout_s: float = 0.0) -> bytes:
        waiting = [(t, b) for t, b in self.due if b]
        first = min((t for t, _ in waiting), default=None)
        if first is None or first > self.now_ns + timeout_s * 1e9:
            self.now_ns += round(timeout_s * 1e9)
            return b""
        self.now_ns = max(self.now_ns, first)
        self.due = [(t, b"" if t <= self.now_ns else b) for t, b in self.due]
        return b"".join(b for t, b in waiting if t <= self.now_ns)

    def fileno(self) -> int:
        return 3


def test_a_device_that_stalled_in_lockstep_is_followed_again_once_it_answers() -> None:
    line, wires = Slow(), image()
    who = Identity("test-1", "7", "ABCD1234", frozenset(("ls",)), 160)
    it = LinkPort(UNITS["couch"], line, who, Decoder(), 10, lockstep=True, now_ns=lambda: line.now_ns + 1)  # type: ignore[arg-type]
    for number in range(30):
        line.takes_ns = 6_700_000_000 if number == 10 else 1_000_000
        it.send(wires, number)
        it.receive(wires, number)
    assert 1 <= it.stats.missed_cycles < 200 and it.silent_cycles == 0 and it.stats.repeated == 0
