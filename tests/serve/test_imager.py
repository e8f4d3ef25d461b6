"""An imager keeps the page's rules: two steps before every exposure, one exposure for one request, the newest frames at hand."""

from pathlib import Path

import numpy as np
import pytest

from device_models.interface.wire.frames import TELLS, hear_frame
from device_models.interface.wire.framing import EVENT
from device_models.serve.pixel_files import KEPT, PixelFiles
from device_models.serve.states import State
from tests.serve.imagers import COLUMNS, ROWS, SHOT, ImagerBench, refusal


@pytest.fixture
def kv(tmp_path: Path) -> ImagerBench:
    return ImagerBench("kv_imager", tmp_path)


@pytest.fixture
def mv(tmp_path: Path) -> ImagerBench:
    return ImagerBench("mv_imager", tmp_path)


def test_it_says_what_it_is_and_what_fi_takes(kv: ImagerBench) -> None:
    told = kv.ask("HI")
    assert "unit=kv_imager" in told and "axes=0" in told and any(word.startswith("caps=") and "ar,im" in word for word in told)
    items = [" ".join(kv.ask(f"DD {i}")[1:]) for i in range(int(kv.ask("DD")[1]))]
    assert "fi=volt unit=V low=40000 high=140000" in items and "fi=binning unit=count low=1 high=64" in items
    assert {"verb=AR", "verb=FI", "verb=IM", "verb=PX"} <= set(items) and not {"verb=LS", "verb=TK", "verb=MV"} & set(items)


def test_both_steps_make_one_exposure_and_the_frame_is_news(kv: ImagerBench) -> None:
    kv.ask("AR 1A2B")
    kv.send(f"FI 1A2B {SHOT}")
    said = kv.lines()
    assert [(line.verb, *line.args[1:]) for line in said] == [("OK", "2", "0"), ("EV", "IMG", "0")] and said[1].start == EVENT
    assert kv.camera.fired == [(125_000, 42_000, 20_000, 16)]


def test_the_arming_is_spent_with_the_exposure(kv: ImagerBench) -> None:
    assert kv.shoot()[0] == "OK"
    assert kv.ask(f"FI 1A2B {SHOT}") == ["ER", "5", "unarmed"] and len(kv.camera.fired) == 1


@pytest.mark.parametrize("before", [[], ["AR 1A2C"], ["AR 1A2B", "HT"], ["AR 1A2B", "AR 0000"]])
def test_without_its_own_arming_there_is_no_exposure(kv: ImagerBench, before: list[str]) -> None:
    for words in before:
        kv.ask(words)
    assert kv.ask(f"FI 1A2B {SHOT}") == ["ER", "5", "unarmed"] and kv.camera.fired == []


@pytest.mark.parametrize(("cycles", "answer"), [(200, "OK"), (201, "ER")])
def test_an_arming_lasts_two_seconds(kv: ImagerBench, cycles: int, answer: str) -> None:
    kv.ask("AR 1A2B")
    kv.cycle += cycles
    assert kv.ask(f"FI 1A2B {SHOT}")[0] == answer


def test_a_repeat_is_answered_again_and_exposes_once(kv: ImagerBench) -> None:
    kv.ask("AR 1A2B")
    request = kv.send(f"FI 1A2B {SHOT}")
    once = kv.lines()[0].raw
    kv.device.hear(request)
    assert [line.raw for line in kv.lines()] == [once] and len(kv.camera.fired) == 1


@pytest.mark.parametrize(("values", "refusal_told"), [
    ("150000 42000 20000 16", ["3", "limit", "fi=volt", "low=40000", "high=140000"]),
    ("125000 42000 999 16", ["3", "limit", "fi=microsecond", "low=1000", "high=1000000"]),
    ("125000 42000 20000 0", ["3", "limit", "fi=binning", "low=1", "high=64"]),
    ("125000 42000 20000", ["1", "syntax"]), ("125000 42000 20000 16 1", ["1", "syntax"]), ("125000 42000 nan 16", ["1", "syntax"]),
])
def test_a_technique_out_of_range_does_nothing_and_may_be_said_again(kv: ImagerBench, values: str, refusal_told: list[str]) -> None:
    assert kv.shoot(values=values) == ["ER", *refusal_told] and kv.camera.fired == []
    assert kv.ask(f"FI 1A2B {SHOT}")[0] == "OK"


@pytest.mark.parametrize("why", ["door", "switch", "enable", "heat", "power", "place"])
def test_what_the_generator_refuses_is_told_by_one_word_and_ends_the_arming(kv: ImagerBench, why: str) -> None:
    kv.camera.refuses = refusal(why)
    assert kv.shoot() == ["ER", "4", "state", "state=1", f"why={why}"]
    kv.camera.refuses = None
    assert kv.ask(f"FI 1A2B {SHOT}") == ["ER", "5", "unarmed"] and kv.camera.fired == []


@pytest.mark.parametrize("stop", [b"\x18", None])
def test_a_latched_imager_arms_and_exposes_nothing(kv: ImagerBench, stop: bytes | None) -> None:
    kv.ask("AR 1A2B")
    if stop is None:
        kv.cycle += 1002  # longer than its watchdog waits
    else:
        kv.device.hear(stop)
    assert kv.ask(f"FI 1A2B {SHOT}")[1:3] == kv.ask("AR 1A2B")[1:3] == ["4", "state"]
    assert kv.device.state is (State.STOP if stop else State.COMM) and kv.camera.fired == []
    kv.ask(f"RS {kv.device.session}")
    assert kv.ask(f"FI 1A2B {SHOT}") == ["ER", "5", "unarmed"] and kv.shoot()[0] == "OK"


def test_metadata_are_whole_numbers_in_the_order_of_the_page_and_nan_where_nobody_knows(kv: ImagerBench) -> None:
    kv.shoot()
    told = kv.ask("IM 0")[1:]
    assert " ".join(told) == "0 1000 -90000 0 1000 1000000 0 1000 -500000 1500 0 nan 0 0 -250 388000 1234 125000 840000 3 4"
    assert len(told) == len(TELLS)
    record = hear_frame(told)
    assert record["couch"][0].tolist()[0] == 1.5 and np.isnan(record["couch"][0][2]) and record["air_counts"][0] == 1234.0


def test_pixels_are_a_raw_file_of_unsigned_16_bit_numbers_row_by_row_little_endian(kv: ImagerBench) -> None:
    kv.shoot()
    kv.shoot()
    (place,) = kv.ask("PX 1")[1:]
    assert place.startswith("file=")
    data = Path(place.removeprefix("file=")).read_bytes()
    assert data == b"".join((i + 1).to_bytes(2, "little") for i in range(ROWS * COLUMNS))


def test_sixty_four_frames_are_kept_and_an_older_one_is_refused_with_those_there_are(kv: ImagerBench) -> None:
    assert kv.ask("IM 0") == ["ER", "3", "limit", "low=0", "high=-1"]
    for _ in range(KEPT + 3):
        kv.shoot()
    assert kv.ask("IM 2") == kv.ask("PX 2") == kv.ask(f"IM {KEPT + 3}") == ["ER", "3", "limit", "low=3", f"high={KEPT + 2}"]
    assert kv.ask("IM 3")[0] == kv.ask(f"PX {KEPT + 2}")[0] == "OK"


def test_only_files_of_frames_that_are_kept_are_on_the_disk_and_none_after_the_run(tmp_path: Path) -> None:
    files = PixelFiles(tmp_path, kept=2)
    for n in range(5):
        files.keep(f"x-{n}", np.zeros((2, 2), np.uint16))
    assert sorted(path.name for path in files.folder.iterdir()) == ["x-3.u16", "x-4.u16"]
    assert files.folder.stat().st_mode & 0o077 == 0
    files.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_a_line_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a line cannot name this folder; set TMPDIR"):
        PixelFiles(tmp_path / "with space")


def test_a_disk_that_takes_no_pixels_is_a_refusal_and_no_crash(kv: ImagerBench, tmp_path: Path) -> None:
    kv.shoot()
    kv.files.folder.rmdir()
    assert kv.ask("PX 0") == ["ER", "4", "state", "state=1", "why=storage"]


def test_a_portal_panel_gathers_from_ar_to_fi_however_long_the_beam_takes(mv: ImagerBench) -> None:
    mv.ask("AR 1A2B")
    assert mv.camera.gathering
    for _ in range(60):
        mv.cycle += 100
        assert mv.ask("ST")[0] == "OK"
    assert mv.ask("FI 1A2B 4") == ["OK", "2", "0"] and mv.camera.fired == [(4,)]


@pytest.mark.parametrize("end", ["HT", "stop byte"])
def test_what_a_panel_gathered_is_forgotten_with_the_arming(mv: ImagerBench, end: str) -> None:
    mv.ask("AR 1A2B")
    if end == "HT":
        mv.ask("HT")
    else:
        mv.device.hear(b"\x18")
    assert not mv.camera.gathering


def test_its_news_come_with_the_time_at_which_they_were_due(kv: ImagerBench) -> None:
    kv.ask("WD 200")
    kv.cycle += 100
    kv.send("ST")
    events = [line for line in kv.lines() if line.start == EVENT]
    assert [line.args[1] for line in events] == ["WDOG"] and 200 <= int(events[0].args[0]) <= 220
