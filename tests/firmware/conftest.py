"""The reference firmware, built once per worker; a device on a bench per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.bench import Line
from tests.firmware.programs import build, on_a_socket


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host build; arithmetic that C does not define ends it at once."""
    folder = tmp_path_factory.mktemp("firmware")
    build("host", folder, "cc", EXTRA="-fsanitize=undefined -fsanitize-undefined-trap-on-error")
    return folder / "couch"


@pytest.fixture
def fresh(program: Path) -> Iterator[Line]:
    """A device just powered up: terminal mode, BOOT."""
    with on_a_socket(program) as line:
        yield line


@pytest.fixture
def device(fresh: Line) -> Line:
    """A device out of BOOT, strict, with a watchdog of 10 s."""
    return fresh.ready()


@pytest.fixture
def still(fresh: Line) -> Line:
    """As `device`, in lockstep, with power: time passes only when the test says so."""
    return fresh.ready("LS 1", "EN 1")
