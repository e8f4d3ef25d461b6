"""Listens to machines over MQTT and keeps a view of them. A process of its own; publishes nothing."""

import asyncio
import secrets
import time
from collections.abc import Callable

import aiomqtt

from .address import Address, BrokerError
from .client import explain, new_client
from .topics import ROOT, machine_and_rest
from .view import View

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 5.0
MOST_WAITING = 5000  # messages; more are thrown away, and the view is stale


class Watcher:
    """`trouble` is empty while the broker is there."""

    def __init__(self, address: Address, machine: str = "+") -> None:
        self.address, self.machine = address, machine
        self.view, self.trouble = View(), "not connected yet"

    async def listen_once(self, on_connected: Callable[[], None] = lambda: None) -> None:
        """Until the connection ends; BrokerError says why."""
        try:
            async with new_client(self.address, f"linac-ctl-monitor-{secrets.token_hex(4)}",
                                  max_queued_incoming_messages=MOST_WAITING) as client:
                await client.subscribe(f"{ROOT}/{self.machine}/#", qos=1)
                self.trouble = ""
                on_connected()
                async for message in client.messages:
                    if isinstance(message.payload, bytes) and self._wanted(str(message.topic)):
                        self.view.take(str(message.topic), message.payload, time.monotonic())
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            self.trouble = explain(self.address, error)
            raise BrokerError(self.trouble) from None

    def _wanted(self, topic: str) -> bool:
        """Asked again, because brokers differ: amqtt hands out what it keeps of others too."""
        place = machine_and_rest(topic)
        return self.machine == "+" or (place is not None and place[0] == self.machine)

    async def reach(self) -> None:
        """BrokerError unless the broker lets us in."""
        try:
            async with new_client(self.address, f"linac-ctl-monitor-{secrets.token_hex(4)}"):
                pass
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise BrokerError(explain(self.address, error)) from None

    async def listen(self) -> None:
        """For ever; only a first connection that fails is an error."""
        connected, wait_s = False, FIRST_WAIT_S

        def note() -> None:
            nonlocal connected, wait_s
            connected, wait_s = True, FIRST_WAIT_S

        while True:
            try:
                await self.listen_once(note)
            except BrokerError:
                if not connected:
                    raise
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def show(self, draw: Callable[[View], None], every_s: float, first_s: float, once: bool) -> None:
        """Draw as soon as there is something to see, at the latest after `first_s`; then every so often, unless `once`."""
        listening = asyncio.create_task(self.listen())
        drawing = asyncio.create_task(self._draw(draw, every_s, first_s, once))
        try:
            done, _ = await asyncio.wait({listening, drawing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            listening.cancel()
            drawing.cancel()

    async def _draw(self, draw: Callable[[View], None], every_s: float, first_s: float, once: bool) -> None:
        end_s = time.monotonic() + first_s
        while not self.view.complete() and time.monotonic() < end_s:
            await asyncio.sleep(0.02)
        while True:
            draw(self.view)
            if once:
                return
            await asyncio.sleep(every_s)
