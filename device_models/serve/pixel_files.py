"""Pixels beside the line: raw files in a folder of this run alone, the newest ones kept."""

import re
import shutil
import tempfile
import weakref
from collections import deque
from pathlib import Path
from typing import Any

ON_THE_WIRE = re.compile(r"[A-Za-z0-9_.,:/+-]+", re.ASCII)  # what a word of a line may hold
KEPT = 64


class PixelFiles:
    """`parent`: where the folder is made once there are pixels; the computer's own place for such things if not said."""

    def __init__(self, parent: Path | None = None, kept: int = KEPT) -> None:
        self.parent, self.kept = parent or Path(tempfile.gettempdir()), kept
        if ON_THE_WIRE.fullmatch(str(self.parent)) is None:
            raise ValueError(f"{self.parent}: a line cannot name this folder; set TMPDIR to one of letters, digits and -_.+,:/")
        self._folder: Path | None = None
        self._files = deque[Path]()

    @property
    def folder(self) -> Path:
        """Ours alone (0700), and gone with us."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="linac-ctl-pixels-", dir=self.parent))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def keep(self, name: str, pixels: Any) -> str:
        """(rows, columns) uint16 -> the answer to `PX`. OSError when the disk does not take it."""
        path = self.folder / f"{name}.u16"
        if path not in self._files:
            path.write_bytes(pixels.astype("<u2", copy=False).tobytes())
            self._files.append(path)
        while len(self._files) > self.kept:
            self._files.popleft().unlink(missing_ok=True)
        return f"file={path}"

    def close(self) -> None:
        """Nothing is left. May be repeated."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
