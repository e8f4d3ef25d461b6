"""The same firmware on emulated boards. Emulators lose time on a busy machine, so nothing here asserts how long anything took."""

import select

import pytest

from linac_ctl.hil.vectors import disagreement, vectors
from tests.firmware.bench import PATIENCE_S, STOP_BYTE, Line
from tests.firmware.emulated import Start, atmega328p, cortex_m3, static_bytes
from tests.firmware.programs import FIRMWARE, behind_a_pty, on_a_socket, open_pty
from tests.firmware.test_vectors import exchange

BOARDS = {"mps2-an385": cortex_m3, "atmega328p": atmega328p}
pytestmark = pytest.mark.xdist_group("firmware-emulated")


@pytest.fixture(scope="module", params=sorted(BOARDS))
def board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Start]:
    """One board, built."""
    return request.param, BOARDS[request.param](tmp_path_factory.mktemp(request.param))


def ready(line: Line, *setting: str) -> Line:
    """Out of BOOT, whoever heard that it had started."""
    line.sequence = 0x30
    return line.ready(*setting)


def test_it_says_which_board_it_is(board):
    name, start = board
    with start() as line:
        told = line.hello()
        assert (told["serial"], told["unit"], told["axes"], told["baud"]) == (name, "couch", "3", "115200")


def test_a_line_that_has_half_come_when_the_host_opens_the_port_is_heard_whole(tmp_path):
    atmega328p(tmp_path)
    process, name = behind_a_pty(str(tmp_path / "run_simavr"), str(tmp_path / "couch-avr.elf"))
    early = open_pty(name)
    with Line(process, early, early):
        assert select.select([early], [], [], PATIENCE_S)[0], "the board says nothing"
        fd = open_pty(name)
        line = Line(process, fd, fd)
        assert line.wait_for("!").startswith("!00 EV 0 BOOT session=")
        line.close()


def test_published_vectors_are_answered_as_published(board):
    _, start = board
    with start() as line:
        ready(line)
        wrong = {v.name: told for v in vectors("valid", "invalid", "adversarial", "typed")
                 if (told := disagreement(v.answers, exchange(line, v)))}
    assert wrong == {}


def test_a_move_in_its_own_time_arrives(board):
    _, start = board
    with start() as line:
        ready(line, "EN 1", "MV 1 -299000")
        while not line.wait_for("!").endswith("DONE axis=1"):
            pass
        assert line.status().first == (0, -299000, -150000)


def test_a_stop_byte_stops_it(board):
    _, start = board
    with start() as line:
        ready(line, "EN 1", "MV 1 1000000")
        line.send(STOP_BYTE)
        while not line.wait_for("!").endswith("STOP"):
            pass
        assert line.status().state == 4


def test_in_lockstep_it_is_the_host_build_byte_for_byte(board, program):
    _, start = board
    told = []
    for begin in (start, lambda: on_a_socket(program)):
        with begin() as line:
            ready(line, "LS 1", "EN 1")
            begun = len(line.heard)
            for i in range(60):
                line.ok(f"SV 1 {i * 137 % 5000 - 2500} {-300000 - i * 390} nan")
            line.ok("MA 3000 -320000 -149000")
            for _ in range(20):
                line.ok("TK 10")
            told.append(line.heard[begun:])
    assert told[0] == told[1]


def test_it_leaves_an_arduino_most_of_its_flash_and_a_third_of_its_memory(tmp_path):
    atmega328p(tmp_path)
    flash, ram = static_bytes(tmp_path / "couch-avr.elf", "avr-size")
    assert flash <= 10_240 and ram <= 1_365


def test_no_floating_point_no_heap_no_stdio():
    for path in sorted((FIRMWARE / "src").glob("*.[ch]")):
        text = path.read_text()
        assert not any(word in text for word in ("float", "double ", "malloc", "stdio.h", "printf")), path.name
