"""The firmware on emulated boards: a Cortex-M3 in qemu, an ATmega328P in simavr."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware.bench import PATIENCE_S, Line
from tests.firmware.programs import behind_a_pty, build, open_pty

QEMU = "qemu-system-arm"
Start = Callable[[], Line]


def cortex_m3(folder: Path) -> Start:
    """Builds it; skips without compiler, library or emulator."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"{QEMU} is not installed")
    needs_library("arm-none-eabi-gcc", "libc_nano.a", "-mcpu=cortex-m3", "-mthumb")
    build("mps2", folder, "arm-none-eabi-gcc")
    return lambda: in_qemu(folder / "couch-mps2.elf")


def atmega328p(folder: Path) -> Start:
    """Builds it and its runner; skips without compiler or simavr."""
    needs_library("avr-gcc", "libc.a", "-mmcu=atmega328p")
    if not Path("/usr/include/simavr/sim_avr.h").exists():
        pytest.skip("libsimavr-dev is not installed")
    build("avr", folder, "avr-gcc")
    build("simavr", folder, "cc")
    return lambda: in_simavr(folder)


def needs_library(compiler: str, library: str, *flags: str) -> None:
    """A compiler without a C library is of no use; it then repeats the bare name."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    words = [compiler, *flags, f"-print-file-name={library}"]
    found = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    if found.stdout.strip() == library:
        pytest.skip(f"{compiler} has no {library}")


def qemu(elf: Path, line: str) -> list[str]:
    """Words that start it; `line`: what is at the other end of its serial port."""
    return [QEMU, "-M", "mps2-an385", "-display", "none", "-monitor", "none", "-kernel", str(elf), "-chardev", line,
            "-serial", "chardev:line"]


def in_qemu(elf: Path) -> Line:
    """qemu connects to us, so that nothing it says is lost and no port is guessed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        port = server.getsockname()[1]
        process = subprocess.Popen(qemu(elf, f"socket,id=line,host=127.0.0.1,port={port},nodelay=on"))
        try:
            ours, _ = server.accept()
        except TimeoutError:
            process.kill()
            raise
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours.setblocking(True)
    fd = ours.detach()
    return Line(process, fd, fd)


def on_a_pty_of_qemu(build_it: Callable[[Path], Start], folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """For a host that opens a serial port; qemu says which."""
    build_it(folder)
    process = subprocess.Popen(qemu(folder / "couch-mps2.elf", "pty,id=line"), stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout.readline().decode().split()[4]


def in_simavr(folder: Path) -> Line:
    """Behind the pty of the runner."""
    process, name = behind_a_pty(str(folder / "run_simavr"), str(folder / "couch-avr.elf"))
    fd = open_pty(name)
    return Line(process, fd, fd)


def static_bytes(elf: Path, tool: str) -> tuple[int, int]:
    """Flash and RAM that a program takes, without stack."""
    table = subprocess.run([tool, str(elf)], capture_output=True, text=True, timeout=20, check=True).stdout
    text, data, bss = map(int, table.splitlines()[1].split()[:3])
    return text + data, data + bss
