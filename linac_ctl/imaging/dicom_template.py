"""Many files that differ in a few elements: the first is written by pydicom, the others are its bytes with those exchanged.

A CBCT has hundreds of slices; setting and writing the forty elements that they share, slice by slice, would take longer than
its reconstruction.
"""

import struct
from collections.abc import Mapping
from itertools import chain, zip_longest

from linac_ctl.errors import RecordError

GROUP_LENGTH = 0x00020000
META_BEGINS = 132 + 12  # bytes: preamble, DICM, and the group length itself
LONG = ("OB", "OW")  # values with a length of four bytes
Element = tuple[int, str]  # tag, value representation


def encoded(element: Element, value: bytes) -> bytes:
    """The element as explicit VR little endian, padded to an even length as PS3.5 7.1 asks for."""
    tag, vr = element
    value += (b"\0" if vr in ("UI", *LONG) else b" ") * (len(value) % 2)
    length = struct.pack("<HI", 0, len(value)) if vr in LONG else struct.pack("<H", len(value))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + length + value


class Template:
    """A file cut at the elements that change. Elements are given in the order of the file, the outermost level only."""

    def __init__(self, file: bytes, values: Mapping[Element, bytes]) -> None:
        """`values`: what stands in `file` now; RecordError when it does not stand there, in that order."""
        self._elements = tuple(values)
        self._parts: list[bytes] = []
        rest = file[META_BEGINS:]  # the group length is made anew: it counts an element that changes
        for element, value in values.items():
            part, found, rest = rest.partition(encoded(element, value))
            if not found:
                raise RecordError(f"DICOM template: element {element[0]:08x} is not in the file with the value that was set")
            self._parts.append(part)
        self._parts.append(rest)
        self._before = file[: META_BEGINS - 12]
        self._meta_size = struct.unpack_from("<I", file, META_BEGINS - 4)[0] - self._in_meta(values)

    def file(self, values: Mapping[Element, bytes]) -> bytes:
        """The same file with other values for the same elements."""
        new = [encoded(element, values[element]) for element in self._elements]
        length = encoded((GROUP_LENGTH, "UL"), struct.pack("<I", self._meta_size + self._in_meta(values)))
        return b"".join([self._before, length, *chain.from_iterable(zip_longest(self._parts, new, fillvalue=b""))])

    def _in_meta(self, values: Mapping[Element, bytes]) -> int:
        """Bytes of the changing elements that the group length counts."""
        return sum(len(encoded(e, values[e])) for e in self._elements if e[0] >> 16 == 2)
