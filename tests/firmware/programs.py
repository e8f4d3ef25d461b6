"""The firmware's programs: built by its own Makefile, started, reached."""

import os
import shutil
import socket
import subprocess
import termios
import tty
from pathlib import Path

import pytest

from tests.firmware.bench import Line

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
BUILD_S = 120


def build(target: str, folder: Path, *tools: str, **variables: str) -> None:
    """`make TARGET B=folder`; skips without one of these tools."""
    for tool in ("make", *tools):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    words = ["make", "-C", str(FIRMWARE), target, f"B={folder}", *(f"{key}={value}" for key, value in variables.items())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def on_a_socket(program: Path) -> Line:
    """The host build on standard input and output: no pty, nothing of a terminal."""
    ours, its = socket.socketpair()
    with its:
        process = subprocess.Popen([str(program), "--stdio"], stdin=its, stdout=its)
    fd = ours.detach()
    return Line(process, fd, fd)


def behind_a_pty(*words: str) -> tuple["subprocess.Popen[bytes]", str]:
    """A program that prints the name of its pty first."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout.readline().decode().strip()


def open_pty(name: str) -> int:
    """As a host opens it, but nothing is thrown away: what has come already may be the first half of a line."""
    fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd, termios.TCSANOW)
    return fd
