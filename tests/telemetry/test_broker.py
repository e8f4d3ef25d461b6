"""The broker of our own: for this computer only, beside others, and gone with who wanted it."""

import contextlib
from pathlib import Path

import pytest

from linac_ctl.telemetry.address import BrokerError
from linac_ctl.telemetry.broker import USUAL_IF_FREE
from linac_ctl.telemetry.feed import end, start_broker
from tests.telemetry.brokers import listens

LOOPBACK, LISTENS = "0100007F", "0A"  # as /proc/net/tcp has them


def test_two_at_once_have_two_ports_that_only_this_computer_reaches():
    found = [start_broker(USUAL_IF_FREE) for _ in range(2)]
    try:
        ports = [port for _, port in found]
        assert len({*ports}) == 2 and all(listens(port) for port in ports)
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        places = {row[1] for row in rows if row[3] == LISTENS}
        for port in ports:
            assert f"{LOOPBACK}:{port:04X}" in places and f"00000000:{port:04X}" not in places
    finally:
        for process, _ in found:
            process.stdin.close()
            end(process, wait_s=20.0)
            process.stdout.close()
    assert [process.returncode for process, _ in found] == [0, 0]


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do():
    process, port = start_broker(0)
    try:
        with pytest.raises(BrokerError, match=rf"embedded broker at port {port}: .*take another port \(embedded:0 is any\)"):
            start_broker(port)
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        end(process, wait_s=20.0)
        process.stdout.close()
