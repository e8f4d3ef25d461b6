"""Telemetry as the control process sees it: start the processes, attach to a session, close. In between it only looks."""

import json
import os
import secrets
import select
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .. import __version__
from .address import Address, BrokerError
from .frames import CLOSE, OPEN, words_frame
from .pipe import new_pipe
from .snapshot import Snapshot
from .topics import safe_name, topic

BROKER_START_S = 20.0
CLOSING_S = 4.0  # more than the publisher's own limit for its last words
PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


class Feed:
    """From `attach` to `close`, everything that the outside may know goes out. Nothing here waits while the session runs."""

    def __init__(self, address: Address) -> None:
        self.broker: subprocess.Popen[bytes] | None = None
        self.address = address
        keep: tuple[int, ...] = ()
        if address.embedded:
            self.broker, port = start_broker(address.port)
            assert self.broker.stdin is not None
            keep = (self.broker.stdin.fileno(),)  # the broker outlives the publisher, whoever of us ends first
            self.address = replace(address, port=port)
        self.pipe, theirs = new_pipe()
        with theirs:
            self.publisher = start("publisher", str(theirs.fileno()), pass_fds=(theirs.fileno(), *keep))
        self.snapshot: Snapshot | None = None
        self.machine = ""

    def attach(self, sim: Any) -> None:
        """Look at this session from now on."""
        self.machine = safe_name(self.address.name or sim.order.machine.name)
        period_s = 1.0 / self.address.hz
        self.snapshot = Snapshot(sim, self.pipe, machine=self.machine, session=secrets.token_hex(4), code_version=__version__,
                                 period_s=period_s)
        opening = {"address": asdict(self.address), "layout": self.snapshot.layout.plain()}
        self.pipe.put_words(words_frame(OPEN, opening))
        self.snapshot.tell()  # so that what is slow the first time is done before time begins
        sim.observers.append((period_s, self.snapshot.look))

    def first_word(self, wait_s: float) -> str:
        """What became of the first attempt to connect; empty = connected, or not known yet."""
        words = self._words(wait_s, until=("connected", "lost", "ended"))
        return str(words[-1]["why"]) if words and words[-1]["what"] == "lost" else ""

    def close(self, why: str) -> dict[str, Any]:
        """The last snapshot, `offline`, and -> what was published and what was not."""
        if self.snapshot is not None:
            self.snapshot.tell()
        self.pipe.put_words(words_frame(CLOSE, {"why": why}))
        words = self._words(CLOSING_S, until=("ended",))
        self.pipe.close()
        end(self.publisher)
        if self.broker is not None and self.broker.stdin is not None:
            self.broker.stdin.close()
            end(self.broker)
        return self._account(words)

    def _account(self, words: list[dict[str, Any]]) -> dict[str, Any]:
        """The publisher's own count, ours, and the last thing that went wrong."""
        last = words[-1] if words else {}
        troubles = [word["why"] for word in words if word["why"]]
        lost = {"lost_snapshots": self.pipe.lost_numbers + len(self.pipe.numbers),
                "lost_words": self.pipe.lost_words + len(self.pipe.words)}
        silent = "" if last.get("what") == "ended" else self.pipe.down or "the publisher does not answer"
        counts = {key: last.get(key, 0) for key in ("published", "connections", "dropped_events", "dropped_telemetry")}
        return counts | lost | {"trouble": silent or (troubles[-1] if troubles else "")}

    def _words(self, wait_s: float, until: tuple[str, ...]) -> list[dict[str, Any]]:
        """Everything that the publisher says up to one of these words, or until it is gone, or for so long."""
        found: list[dict[str, Any]] = []
        end_s = time.monotonic() + wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            if not select.select([self.pipe.socket], [], [], left_s)[0] or not (word := self._word()):
                break
            found.append(word)
            if word["what"] in until:
                break
        return found

    def _word(self) -> dict[str, Any]:
        """Empty when the publisher is gone."""
        try:
            text = self.pipe.socket.recv(1 << 16)
        except OSError:
            return {}
        return dict(json.loads(text)) if text else {}

    @property
    def where(self) -> str:
        """For people: the broker and the topics."""
        return f"{self.address.text}  {topic(self.machine, '#')}"


def start(module: str, *arguments: str, **more: Any) -> "subprocess.Popen[bytes]":
    """One of our processes, out of reach of Ctrl-C: it ends when we do."""
    path = os.pathsep.join(part for part in (PACKAGE_ROOT, os.environ.get("PYTHONPATH", "")) if part)
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", f"linac_ctl.telemetry.{module}", *arguments], start_new_session=True,
                            env=os.environ | {"PYTHONPATH": path}, **quiet | more)


def start_broker(port: int) -> tuple["subprocess.Popen[bytes]", int]:
    """(process, port it listens at); BrokerError if there is none to be had."""
    process = start("broker", str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = ""
    if select.select([process.stdout], [], [], BROKER_START_S)[0]:
        said = process.stdout.readline().decode(errors="replace").strip()
    if not said.startswith("port "):
        end(process, wait_s=0.0)
        why = said.removeprefix("error: ") or "does not start"
        raise BrokerError(f"embedded broker at port {port if port > 0 else 'any'}: {why}; "
                          f"take another port (embedded:0 is any), or a broker of your own (mqtt://HOST:PORT)")
    return process, int(said.split()[1])


def end(process: "subprocess.Popen[bytes]", wait_s: float = 2.0) -> None:
    """It ends by itself; if not, it is ended."""
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
