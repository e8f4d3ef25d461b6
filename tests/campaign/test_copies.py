"""Work in a copy of this process: its changes stay its own, its death is noticed; large pages where the system has them."""

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from linac_ctl.campaign.copies import CopyLost, in_copy
from linac_ctl.campaign.pages import LARGE, areas, enlarge, pieces


def test_what_a_copy_changes_stays_its_own():
    mine = [1]
    assert in_copy(lambda: mine.append(2) or [*mine]) == [1, 2] and mine == [1]


def test_an_error_in_a_copy_is_a_lost_copy_and_ends_nothing_else():
    with pytest.raises(CopyLost, match="stopped by ZeroDivisionError: integer"):
        in_copy(lambda: 1 // 0)


def test_no_descriptor_and_no_process_is_left_of_a_copy():
    before = len(os.listdir("/proc/self/fd"))
    copies = [in_copy(os.getpid) for _ in range(3)]
    assert len(os.listdir("/proc/self/fd")) == before
    assert not any(Path(f"/proc/{pid}/stat").exists() for pid in copies)  # not even a zombie


def test_a_copy_that_is_killed_is_a_lost_copy_that_says_by_what():
    with pytest.raises(CopyLost, match="killed by signal 9"):
        in_copy(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_a_copy_that_dies_in_the_middle_of_its_answer_is_a_lost_copy():
    with pytest.raises(CopyLost, match="ended with code 1 and without an answer"):
        in_copy(with_little_room)


def with_little_room():
    """A long answer from a process that may write no file of more than 4096 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return bytes(1 << 20)


def test_an_answer_may_be_longer_than_any_pipe():
    assert in_copy(lambda: bytes(8 << 20)) == bytes(8 << 20)


def test_the_areas_of_a_heap_that_came_apart_are_all_asked_for():
    maps = "1000-2000 rw-p 0 00:00 0  [heap]\n2000-3000 rw-p 0 00:00 0  [heap]\n3000-4000 r--p 0 00:00 0 \n4000-5000 rw-p 0 00:00 0"
    assert [*areas(maps)] == [(0x1000, 0x2000), (0x2000, 0x3000), (0x4000, 0x5000)]


def test_only_whole_large_pages_of_own_memory_are_asked_for(tmp_path):
    maps = tmp_path / "maps"
    lines = [(LARGE + 4096, 4 * LARGE - 4096, "rw-p 00000000 00:00 0 "), (8 * LARGE, 9 * LARGE, "r--p 00000000 00:00 0 "),
             (16 * LARGE, 17 * LARGE, "rw-p 00000000 00:00 0  [heap]"), (32 * LARGE, 33 * LARGE, "rw-p 00000000 08:01 7  /x.so")]
    maps.write_text("".join(f"{low:x}-{high:x} {rest}\n" for low, high, rest in lines))
    assert [*pieces(maps.read_text())] == [2 * LARGE, 16 * LARGE]
    assert enlarge(Path("/nowhere")) == 0


def test_an_answer_may_be_larger_than_any_before_it():
    for size in (10, 3_000_000, 10):
        array = np.arange(size, dtype=np.float64)
        name, found = in_copy(lambda array=array: ("all of it", array))
        assert name == "all of it" and (found == array).all()
        found[0] = 7.0  # memory of its own
        assert array[0] == 0.0
