"""Recordings of the lines of a run."""

from pathlib import Path

from device_models.interface.stream import loopback_pair
from device_models.interface.stream.tap import Tapped, read_taps
from linac_ctl.links.tapes import Tapes


def rows(path: Path) -> list[Tapped]:
    with path.open() as file:
        return list(read_taps(file))


def test_what_was_said_before_there_was_a_folder_is_in_the_file_too(tmp_path):
    near, far = loopback_pair()
    tapes = Tapes(iter(range(10)).__next__)
    line = tapes.line("couch", near)
    line.write(b">01 HI\r\n")
    assert tapes.open(tmp_path) == {"tap_couch": "links/couch.tap"}
    tapes.cycle = lambda: 7
    far.write(b"<01 OK\r\n")
    line.read()
    tapes.look()
    whole = [Tapped(0, None, True, b">01 HI\r\n"), Tapped(1, 7, False, b"<01 OK\r\n")]
    assert rows(tmp_path / "links/couch.tap") == whole
    line.write(b"\x18")
    tapes.close()
    tapes.close()
    assert rows(tmp_path / "links/couch.tap") == [*whole, Tapped(2, 7, True, b"\x18")]


def test_each_line_has_a_file_of_its_own(tmp_path):
    tapes = Tapes(lambda: 0)
    for name in ("couch", "gantry"):
        tapes.line(name, loopback_pair()[0]).write(name.encode())
    tapes.open(tmp_path)
    tapes.close()
    assert [rows(tmp_path / f"links/{name}.tap")[0].data for name in ("couch", "gantry")] == [b"couch", b"gantry"]


def test_a_disk_that_is_full_ends_the_tapes_and_the_line_goes_on(tmp_path):
    near, far = loopback_pair()
    tapes, told = Tapes(lambda: 0), []
    tapes.tell = told.append
    line = tapes.line("couch", near)
    (tmp_path / "links").mkdir()
    (tmp_path / "links/couch.tap").symlink_to("/dev/full")
    assert line.write(b"early") and tapes.open(tmp_path) and tapes.failed == ""
    tapes.look()
    assert "No space left" in tapes.failed and told == [tapes.failed]
    assert line.write(b" late") and far.read() == b"early late"
    tapes.look()
    tapes.close()


def test_a_folder_that_cannot_be_written_does_not_stop_anything(tmp_path):
    (tmp_path / "links").write_text("somebody's file")
    tapes = Tapes(lambda: 0)
    line = tapes.line("couch", loopback_pair()[0])
    assert tapes.open(tmp_path) == {} and tapes.failed and line.write(b"x")
