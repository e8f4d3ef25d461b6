"""What is kept for a broker that is not there, and in which order it goes out."""

from linac_ctl.telemetry.outbox import Message, Outbox


def state(value: int, topic: str = "a/state") -> Message:
    return Message(topic, b"%d" % value, 1, True)


def event(value: int) -> Message:
    return Message("event", b"%d" % value, 1, False)


def telemetry(value: int) -> Message:
    return Message("a/telemetry", b"%d" % value, 0, False)


def drained(box: Outbox) -> list[Message]:
    found = []
    while message := box.next():
        found.append(message)
        box.done(message)
    return found


def test_retained_first_then_events_then_telemetry():
    box = Outbox()
    for message in (telemetry(1), event(2), state(3)):
        box.put(message)
    assert drained(box) == [state(3), event(2), telemetry(1)] and box.next() is None


def test_of_a_retained_topic_only_the_newest_goes_out():
    box = Outbox()
    for value in range(1000):
        box.put(state(value))
    assert drained(box) == [state(999)]


def test_queues_drop_their_oldest_and_count():
    box = Outbox(kept_events=3, kept_telemetry=2)
    for value in range(10):
        box.put(event(value))
        box.put(telemetry(value))
    assert (box.dropped_events, box.dropped_telemetry) == (7, 8)
    assert drained(box) == [event(7), event(8), event(9), telemetry(8), telemetry(9)]


def test_what_was_not_acknowledged_goes_out_again():
    box = Outbox()
    box.put(event(1))
    assert box.next() == box.next() == event(1)


def test_done_takes_away_only_what_was_sent():
    box = Outbox(kept_events=2)
    box.put(event(1))
    box.put(state(1))
    sent_event, sent_state = event(1), box.next()
    box.put(state(2))  # meanwhile
    box.put(event(2))
    box.put(event(3))  # pushes the first one out
    box.done(sent_event)
    box.done(sent_state)
    assert drained(box) == [state(2), event(2), event(3)]


def test_a_new_connection_is_told_everything_that_is_retained_once_more():
    box = Outbox()
    for message in (state(1, "a/state"), state(2, "b/state"), event(3)):
        box.put(message)
    drained(box)
    box.again()
    assert drained(box) == [state(1, "a/state"), state(2, "b/state")] and not box.urgent
