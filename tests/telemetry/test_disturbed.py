"""A broker that stops and dies during a session in real time costs telemetry, never a cycle."""

import os
import signal

from linac_ctl.telemetry.address import parse
from linac_ctl.telemetry.broker import free_port
from linac_ctl.telemetry.feed import Feed, end, start_broker
from tests.support import Run
from tests.telemetry.sessions import session


def watched_for_8_s(**kw: float) -> Run:
    """The beginning of a session."""
    sim = session(**kw)
    sim.stop_after(8.0)
    return sim


def test_stopping_and_killing_the_broker_changes_no_bit_and_skips_no_snapshot():
    alone = watched_for_8_s()
    alone.run()
    sim, port = watched_for_8_s(speed=1.0), free_port()
    broker = start_broker(port)[0]

    def stop() -> None:
        os.kill(broker.pid, signal.SIGSTOP)

    def kill() -> None:
        os.kill(broker.pid, signal.SIGKILL)

    feed = Feed(parse(f"mqtt://127.0.0.1:{port}?hz=20", {}))
    feed.attach(sim)
    assert feed.first_word(20.0) == ""
    deeds = [(1.0, stop), (4.0, kill)]

    def look() -> None:
        while deeds and sim.loop.time() >= deeds[0][0]:
            deeds.pop(0)[1]()

    sim.observers.append((0.1, look))
    sim.run()
    counts = feed.close("session ended")
    broker.stdin.close()
    broker.stdout.close()
    end(broker)
    assert not deeds and sim.loop.cycle == alone.loop.cycle
    assert sim.finish() == alone.finish()
    assert counts["lost_snapshots"] == counts["lost_words"] == 0  # the publisher took every frame, whatever the broker did
    assert counts["dropped_telemetry"] > 0 and counts["published"] > 0 and counts["trouble"]


def test_a_publisher_that_is_stopped_or_killed_costs_a_session_nothing():
    with_one, feed = session(speed=2.0), Feed(parse("mqtt://127.0.0.1:1?hz=20", {}))
    feed.attach(with_one)
    deeds = [(1.0, signal.SIGSTOP), (3.0, signal.SIGCONT), (4.0, signal.SIGKILL)]

    def look() -> None:
        while deeds and with_one.loop.time() >= deeds[0][0]:
            os.kill(feed.publisher.pid, deeds.pop(0)[1])

    with_one.observers.append((0.1, look))
    with_one.run()
    counts = feed.close("session ended")
    alone = session()
    alone.run()
    assert with_one.error is None and not deeds and with_one.finish() == alone.finish()
    assert counts["lost_snapshots"] > 0 and "publisher is gone" in counts["trouble"]
