"""What `IM` tells of a frame comes out as it went in, and nothing else is taken for it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from device_models.interface.wire.fields import IMAGERS
from device_models.interface.wire.frames import LARGEST_SIDE, TELLS, frame_record, hear_frame, say_frame
from device_models.interface.wire.framing import LARGEST, REPLY, make, parse

WHOLE = st.integers(-LARGEST - 1, LARGEST)
COUNT = st.integers(1, LARGEST)
SIDE = st.integers(1, LARGEST_SIDE)


@given(st.integers(0, LARGEST), st.lists(WHOLE, min_size=8, max_size=8), st.lists(st.none() | WHOLE, min_size=6, max_size=6), COUNT,
       COUNT, st.lists(WHOLE, min_size=2, max_size=2), SIDE, SIDE)
def test_every_frame_that_can_be_told_is_heard_with_the_same_words(number, places, couch, pitch, air, tube, rows, columns):
    told = [number, *places, *("nan" if v is None else v for v in couch), pitch, air, *tube, rows, columns]
    words = [str(value) for value in told]
    assert len(words) == len(TELLS)
    record = hear_frame(words)
    assert record is not None and say_frame(record).split() == words
    assert np.isnan(record["couch"][0]).tolist() == [v is None for v in couch]


@given(st.lists(st.sampled_from(["0", "1", "-1", "nan", "x", "a=b", "", "99999999999", "8193", str(LARGEST)]), max_size=24))
@settings(max_examples=300)
def test_words_that_are_no_frame_are_none_and_no_exception(words):
    record = hear_frame(words)
    assert record is None or (len(words) == len(TELLS) and 0 < record["rows"][0] <= LARGEST_SIDE and record["air_counts"][0] > 0.0)


def test_the_longest_answer_fits_the_longest_line_that_an_imager_may_send():
    big = float(LARGEST)
    record = frame_record(number=LARGEST, time_s=big / 1000, gantry_deg=-big / 1000, source_mm=-big / 1000, panel_mm=-big / 1000,
                          couch=-big / 1000, pitch_mm=big / 1e6, air_counts=big, kv=-big / 1000, mas=-big / 1e6, rows=8192,
                          columns=8192)
    line = make(REPLY, 255, f"OK {2**32 - 1} {say_frame(record)}").rstrip()
    assert parse(line) is not None and all(len(line) <= unit.maxline for unit in IMAGERS.values())
