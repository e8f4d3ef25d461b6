"""The host build behind a pty that it makes itself."""

import subprocess
from pathlib import Path

from tests.firmware.bench import Line
from tests.firmware.programs import behind_a_pty, open_pty


def test_clients_come_and_go_and_nobody_hears_what_was_meant_for_another(program: Path, tmp_path: Path):
    process, name = behind_a_pty(str(program), "--pty", str(tmp_path / "couch"))
    assert name == str(tmp_path / "couch")
    for i in range(3):
        fd = open_pty(name)
        line = Line(process, fd, fd)
        try:
            line.sequence = i * 64
            assert line.hello()["unit"] == "couch"
            line.ok("TM 10")
            line.listen(0.05)
        finally:
            line.close()
        assert process.poll() is None
    fd = open_pty(name)
    with Line(process, fd, fd) as line:
        line.sequence = 250
        line.hello()
        assert line.heard[0].startswith(("<", "~")), "whole lines from the first byte on"


def test_words_that_are_none_end_with_a_usage_line(program: Path):
    done = subprocess.run([str(program), "--sky"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and done.stderr.startswith("usage: couch")
