"""The publisher's process against brokers that are real: births, last wills, ends, and brokers that come and go."""

import json
import os
import signal
import struct
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from linac_ctl.telemetry.address import parse
from linac_ctl.telemetry.broker import free_port
from linac_ctl.telemetry.feed import end, start
from linac_ctl.telemetry.frames import CLOSE, EVENT, OPEN, Stamp, numbers_frame, words_frame
from linac_ctl.telemetry.layout import Field, Layout
from linac_ctl.telemetry.pipe import new_pipe
from tests.telemetry.brokers import Peer, embedded, listening, mosquitto, packets, until

LAYOUT = Layout("m", "s1", "box", "1.0", 0.1, {"couch": (("lateral", "mm"),)}, (
    Field("couch", "telemetry", "readback", "axis", 1), Field("couch", "state", "state", values=("idle", "moving"))))


class Control:
    """Stands for the control process: the end of the pipe that is written to."""

    def __init__(self, url: str) -> None:
        self.pipe, theirs = new_pipe()
        with theirs:
            self.publisher = start("publisher", str(theirs.fileno()), pass_fds=(theirs.fileno(),))
        self.pipe.put_words(words_frame(OPEN, {"address": asdict(parse(url, {})), "layout": LAYOUT.plain()}))
        self.seq = 0

    def snapshot(self, place: float = 1.0, state: float = 0.0) -> None:
        self.seq += 1
        self.pipe.put_numbers(numbers_frame(Stamp(self.seq, 0, 0, self.seq, 0, 0, 0, 0), struct.pack("<2d", place, state)))

    def event(self, what: str) -> None:
        self.pipe.put_words(words_frame(EVENT, {"what": what}))

    def said(self) -> list[dict]:
        """Words of the publisher that are there."""
        found = []
        try:
            while word := self.pipe.socket.recv(1 << 16):
                found.append(json.loads(word))
        except BlockingIOError:
            pass
        return found

    def gone(self) -> None:
        """As if the control process were killed."""
        self.pipe.close()
        end(self.publisher, wait_s=20.0)


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a broker that lets everybody in."""
    if request.param == "embedded":
        with embedded() as (url, _):
            yield url
        return
    with mosquitto(tmp_path, "allow_anonymous true") as port:
        yield f"mqtt://127.0.0.1:{port}"


def test_a_listener_hears_birth_meaning_numbers_states_and_events(broker):
    with listening(broker) as heard:
        control = Control(broker)
        control.snapshot(1.5, 1.0)
        control.event("beam on")
        until(lambda: heard.of("/couch/telemetry") and heard.of("/couch/state") and heard.of("/event"), "all of it")
        assert heard.of("/couch/telemetry")[0]["readback"] == [1.5] and heard.of("/couch/state")[0]["state"] == "moving"
        assert heard.of("/event") == [{"what": "beam on"}]
        assert heard.statuses() == ["online"] and heard.of("$meta")[0]["subsystems"]["couch"]["axes"][0]["unit"] == "mm"
        until(lambda: heard.of("$stats"), "statistics")
        control.gone()


def test_who_comes_late_is_told_what_stands(broker):
    control = Control(broker)
    with listening(broker) as first:
        control.snapshot(1.5, 1.0)
        until(lambda: first.of("/couch/telemetry"), "published")
    with listening(broker) as late:
        until(lambda: late.of("$status") and late.of("$meta") and late.of("/couch/state"), "retained")
        assert late.of("/couch/state")[0]["state"] == "moving" and not late.of("/couch/telemetry")
    control.gone()


def test_an_ordered_end_says_why(broker):
    with listening(broker) as heard:
        control = Control(broker)
        control.event("last")
        control.pipe.put_words(words_frame(CLOSE, {"why": "session ended"}))
        until(lambda: heard.statuses() == ["online", "offline"], "offline")
        assert heard.of("$status")[-1]["why"] == "session ended" and heard.of("/event") == [{"what": "last"}]
        control.gone()
        assert control.publisher.returncode == 0


def test_a_control_process_that_dies_is_said_to_be_gone_and_takes_its_publisher_along(broker):
    with listening(broker) as heard:
        control = Control(broker)
        until(lambda: heard.statuses() == ["online"], "online")
        control.gone()
        until(lambda: heard.statuses() == ["online", "offline"], "offline")
        assert heard.of("$status")[-1]["why"] == "the control process is gone"


def test_a_publisher_that_is_killed_leaves_its_last_will(broker):
    with listening(broker) as heard:
        control = Control(broker)
        until(lambda: heard.statuses() == ["online"], "online")
        control.publisher.kill()
        until(lambda: heard.statuses() == ["online", "offline"], "the will")
        assert heard.of("$status")[-1]["why"] == "connection lost"
        for _ in range(5):
            control.snapshot()
        assert control.pipe.down and control.pipe.lost_numbers == 5
        control.gone()


def test_a_broker_that_comes_later_hears_the_newest_state_and_the_events_so_far(tmp_path):
    port = free_port()
    control = Control(f"mqtt://127.0.0.1:{port}")
    until(lambda: [word for word in control.said() if word["what"] == "lost" and "nothing listens there" in word["why"]], "said so")
    for i in range(20):
        control.snapshot(float(i), 1.0)
        control.event(f"event {i}")
    control.snapshot(99.0, 0.0)
    with mosquitto(tmp_path, "allow_anonymous true", port=port), listening(f"mqtt://127.0.0.1:{port}") as heard:
        until(lambda: heard.of("/couch/state") and heard.statuses() == ["online"], "connected")
        assert heard.of("/couch/state")[-1]["state"] == "idle"
        control.event("one more")
        until(lambda: {"what": "one more"} in heard.of("/event"), "events")
        control.gone()


def test_a_broker_that_was_restarted_and_forgot_everything_is_told_it_all_again(tmp_path):
    port = free_port()
    with mosquitto(tmp_path, "allow_anonymous true", port=port):
        control = Control(f"mqtt://127.0.0.1:{port}")
        with listening(f"mqtt://127.0.0.1:{port}") as heard:
            control.snapshot(1.0, 1.0)
            until(lambda: heard.of("/couch/state"), "state")
    with mosquitto(tmp_path, "allow_anonymous true", port=port), listening(f"mqtt://127.0.0.1:{port}") as heard:
        until(lambda: heard.of("/couch/state") and heard.of("$meta") and "online" in heard.statuses(), "told again")
        control.gone()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x05", b"\xff" * 4096, bytes(4096),
                                    b"\x20\x02\x00\x00" + b"\x30\xff\xff\xff\x7f" + bytes(1000)],
                         ids=["silent", "http", "refused", "ones", "zeros", "endless"])
def test_a_server_that_is_no_broker_costs_telemetry_and_nothing_else(answer):
    peer = Peer(answer, pour=len(answer) > 1000)
    control = Control(f"mqtt://127.0.0.1:{peer.port}")
    until(lambda: len(peer.streams) >= 2, "it tries again")
    for _ in range(3000):
        control.snapshot()
        control.event("x")
    until(lambda: not control.pipe.words or control.snapshot(), "the pipe is read whatever the broker does")
    assert control.publisher.poll() is None and not control.pipe.down
    control.gone()
    assert control.publisher.returncode == 0
    peer.close()


def test_the_publisher_subscribes_to_nothing_and_takes_no_orders():
    topic = b"linac/v1/m/beam/on"
    order = bytes([0x30, 2 + len(topic) + 4, 0, len(topic)]) + topic + b"true"
    peer = Peer(b"\x20\x02\x00\x00" + 100 * order)
    control = Control(f"mqtt://127.0.0.1:{peer.port}")
    until(lambda: len(peer.streams) >= 2, "it comes again")
    control.gone()
    peer.close()
    connect, publish, disconnect = 1, 3, 14
    assert {kind for stream in peer.streams for kind in packets(stream)} <= {connect, publish, disconnect}
    assert any(b"$status" in stream for stream in peer.streams) and control.publisher.returncode == 0


def test_a_stopped_broker_does_not_stop_the_pipe_and_what_was_dropped_is_published():
    with embedded() as (url, process):
        control = Control(url)
        with listening(url) as heard:
            control.snapshot()
            until(lambda: heard.of("/couch/telemetry"), "published")
        os.kill(process, signal.SIGSTOP)
        for i in range(3000):
            control.snapshot(float(i))
            until(lambda: not control.pipe.numbers or control.pipe._flush(), "read")
        assert control.pipe.lost_numbers == 0
        os.kill(process, signal.SIGCONT)
        with listening(url) as heard:
            until(lambda: any(one["dropped_telemetry"] for one in heard.of("$stats")), "drops are said")
            control.gone()
