"""What is still to be published: the newest of every retained topic, and two bounded queues that drop their oldest."""

from collections import deque
from dataclasses import dataclass

KEPT_EVENTS = 2000
KEPT_TELEMETRY = 250  # about two seconds: later than that nobody wants it


@dataclass(frozen=True, slots=True)
class Message:
    """One publication."""

    topic: str
    payload: bytes
    qos: int
    retained: bool


class Outbox:
    """Retained topics first, then events, then telemetry. What was taken stays until `done`, so a lost connection repeats it."""

    def __init__(self, kept_events: int = KEPT_EVENTS, kept_telemetry: int = KEPT_TELEMETRY) -> None:
        self.retained: dict[str, Message] = {}
        self.fresh: dict[str, Message] = {}  # of these, what the broker does not have yet
        self.events: deque[Message] = deque(maxlen=kept_events)
        self.telemetry: deque[Message] = deque(maxlen=kept_telemetry)
        self.dropped_events = self.dropped_telemetry = 0

    def put(self, message: Message) -> None:
        """Never refuses, never grows beyond its bounds."""
        if message.retained:
            self.retained[message.topic] = self.fresh[message.topic] = message
        elif message.qos:
            self.dropped_events += len(self.events) == self.events.maxlen
            self.events.append(message)
        else:
            self.dropped_telemetry += len(self.telemetry) == self.telemetry.maxlen
            self.telemetry.append(message)

    def again(self) -> None:
        """A new connection: the broker may have forgotten everything."""
        self.fresh = dict(self.retained)

    def next(self) -> Message | None:
        """The most urgent one; None if there is nothing to say."""
        if self.fresh:
            return next(iter(self.fresh.values()))
        queue = self.events or self.telemetry
        return queue[0] if queue else None

    def done(self, message: Message) -> None:
        """It is with the broker. What came in meanwhile is kept, even if it pushed this one out."""
        if message.retained:
            if self.fresh.get(message.topic) is message:
                del self.fresh[message.topic]
            return
        queue = self.events if message.qos else self.telemetry
        if queue and queue[0] is message:
            queue.popleft()

    @property
    def urgent(self) -> bool:
        """Something is left that should not be lost."""
        return bool(self.fresh or self.events)
