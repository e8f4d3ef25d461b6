"""The first start compiles in two processes; later ones do nothing, and no bit of a session depends on it."""

from dataclasses import replace
from pathlib import Path

from linac_ctl.warm import compile_cycle, mark, missing, rehearse, warm
from tests.sequencer.guided import guided, room
from tests.support import order_for, run


def test_a_folder_counts_as_complete_once_it_is_marked_and_one_that_cannot_be_written_is_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    assert missing(folder)
    mark(folder)
    assert not missing(folder)
    (tmp_path / "file").write_text("")
    mark(tmp_path / "file" / "below")
    assert missing(tmp_path / "file" / "below")


def test_a_rehearsal_changes_no_bit_of_the_session_after_it() -> None:
    order = guided()
    plain = run(order, prepared=room()).finish()
    assert order.imaging is not None and order.machine.controller.kv_imager is not None
    fresh = replace(room(), planning=replace(room().planning, matchers={}))
    rehearse(replace(order.imaging, room=fresh), order.machine.controller.kv_imager)
    assert set(fresh.planning.matchers) and run(order, prepared=fresh).finish() == plain


def test_orders_without_images_say_and_do_nothing() -> None:
    said: list[str] = []
    warm(order_for(), said.append)
    assert said == []


def test_the_cycle_is_compiled_for_a_machine_by_name() -> None:
    compile_cycle("bench_small")  # raises if the engine cannot be built as a session builds it
