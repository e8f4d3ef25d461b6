"""The publisher's process: `python -m linac_ctl.telemetry.publisher FD`. Reads frames from FD, publishes, reconnects.

It subscribes to nothing. It lives as long as somebody holds the other end of FD, then says `offline` and ends.
"""

import asyncio
import json
import os
import socket
import sys
from typing import Any

import aiomqtt

from .address import Address
from .client import explain, new_client
from .frames import CLOSE, LONGEST, OPEN, read_words
from .layout import Layout
from .modest import be_modest
from .outbox import Message, Outbox
from .shaping import CONNECTION_LOST, OFFLINE, ONLINE, PROCESS_GONE, Shaper

PUBLISH_S = 1.0  # longer than this for one message, and the connection counts as lost
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0  # between attempts to connect; doubled each time
LAST_WORDS_S = 2.0  # for what is left when the control process has ended
STATUS_EVERY_S = 5.0  # so that the late will of a dead connection does not stand for long
STATS_EVERY_S = 1.0


class Publisher:
    """One connection after the other, until the pipe ends."""

    def __init__(self, pipe: socket.socket, address: Address, layout: Layout) -> None:
        self.pipe, self.address = pipe, address
        self.shaper, self.box = Shaper(layout), Outbox()
        self.identifier = f"linac-ctl-{layout.machine}-{layout.session}"
        self.wake, self.ended = asyncio.Event(), asyncio.Event()
        self.why = PROCESS_GONE
        self.published = self.connections = 0
        self._buffer = bytearray(LONGEST)

    # --- the pipe

    def listen(self) -> None:
        """From now on the loop hears every frame."""
        self.pipe.setblocking(False)
        asyncio.get_running_loop().add_reader(self.pipe.fileno(), self.hear)

    def hear(self) -> None:
        """All frames that are there. They are taken whatever the broker does, so the pipe never fills up because of it."""
        try:
            while n := self.pipe.recv_into(self._buffer):
                self.take(bytes(self._buffer[:n]))
        except BlockingIOError:
            return
        except OSError:
            pass  # reset by the other end's death: the same as its end
        asyncio.get_running_loop().remove_reader(self.pipe.fileno())
        self.finish()

    def take(self, frame: bytes) -> None:
        """One frame."""
        if frame[:1] == CLOSE:
            self.why = str(read_words(frame)["why"])
            self.finish()
            return
        for message in self.shaper.shape(frame):
            self.box.put(message)
        self.wake.set()

    def finish(self) -> None:
        """What is left, then `offline`."""
        self.ended.set()
        self.wake.set()

    def say(self, what: str, why: str = "") -> None:
        """A word to the control process, which listens before and after the session only."""
        try:
            self.pipe.send(json.dumps({"what": what, "why": why, **self.counts()}).encode())
        except OSError:
            pass  # it does not listen, or is gone

    def counts(self) -> dict[str, int]:
        """So far."""
        return {"published": self.published, "connections": self.connections,
                "dropped_events": self.box.dropped_events, "dropped_telemetry": self.box.dropped_telemetry}

    # --- the broker

    async def run(self) -> None:
        """Connect, publish, and again. Whatever a broker does ends a connection and nothing else."""
        wait_s = FIRST_WAIT_S
        while True:
            before = self.published
            try:
                await self.connection()
                return
            except Exception as error:  # whatever bytes a broker sends, paho may raise anything on them
                self.say("lost", explain(self.address, error))
            wait_s = FIRST_WAIT_S if self.published > before else min(2 * wait_s, LONGEST_WAIT_S)
            if self.ended.is_set():
                await asyncio.sleep(FIRST_WAIT_S)  # for as long as it is given
            else:
                await pause(self.ended, wait_s)

    async def connection(self) -> None:
        """From birth to the end of the session; raises when the connection is lost."""
        will = self.shaper.status(OFFLINE, CONNECTION_LOST)
        async with new_client(self.address, self.identifier, max_queued_incoming_messages=1,
                              will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retained)) as client:
            self.connections += 1
            self.birth()
            watch = asyncio.create_task(notice_the_end(client))
            try:
                await self.publish_all(client, watch)
            finally:
                watch.cancel()

    def birth(self) -> None:
        """Everything that is retained, status and meaning first."""
        self.say("connected")
        for message in (self.shaper.status(ONLINE), self.shaper.meta()):
            self.box.put(message)
        self.box.again()

    async def publish_all(self, client: aiomqtt.Client, watch: "asyncio.Task[None]") -> None:
        """Until the session has ended and all that matters is out."""
        loop = asyncio.get_running_loop()
        status_due, stats_due = loop.time() + 1.0, loop.time() + STATS_EVERY_S
        while not (self.ended.is_set() and not self.box.urgent):
            if watch.done():
                raise watch.exception() or aiomqtt.MqttError("the broker closed the connection")
            if loop.time() >= status_due:
                status_due += STATUS_EVERY_S
                self.box.put(self.shaper.status(ONLINE))
            if loop.time() >= stats_due:
                stats_due += STATS_EVERY_S
                self.box.put(self.shaper.stats(self.counts()))
            if (message := self.box.next()) is None:
                self.wake.clear()
                await pause(self.wake, 0.1)
            else:
                await self.publish(client, message)
        await self.publish(client, self.shaper.stats(self.counts()))
        await self.publish(client, self.shaper.status(OFFLINE, self.why, **self.counts()))

    async def publish(self, client: aiomqtt.Client, message: Message) -> None:
        """One message, within a second."""
        await client.publish(message.topic, message.payload, message.qos, message.retained, timeout=PUBLISH_S)
        self.box.done(message)
        self.published += 1


async def notice_the_end(client: aiomqtt.Client) -> None:
    """Raises when the connection ends. We subscribed to nothing: what a broker sends all the same is thrown away."""
    async for _ in client.messages:
        pass


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Until the event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        pass


async def publish_until_the_end(pipe: socket.socket) -> None:
    """The first frame says where to and what; the rest follows."""
    first = pipe.recv(LONGEST)
    if first[:1] != OPEN:
        return
    opening: dict[str, Any] = read_words(first)
    publisher = Publisher(pipe, Address(**opening["address"]), Layout.from_plain(opening["layout"]))
    publisher.listen()
    task = asyncio.create_task(publisher.run())
    await asyncio.wait({task, asyncio.create_task(publisher.ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({task}, timeout=LAST_WORDS_S)
    publisher.say("ended", "" if task.done() and not task.exception() else "not everything could be published at the end")


def main(arguments: list[str]) -> None:
    """Not `asyncio.run`: that waits for threads, and one of ours may still be looking up a host name."""
    be_modest()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)  # a hostile broker may cause any number of them
    loop.run_until_complete(publish_until_the_end(socket.socket(fileno=int(arguments[0]))))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    finally:
        os._exit(0)
