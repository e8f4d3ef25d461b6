"""The ledger of a campaign: one SQLite file (WAL) with what was asked and a row for every run that is done.

One process writes. Whatever is committed stays, kill -9 included; what is not there is simply done (again) by `resume`.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import LedgerError, RecordError
from ..records.jsonio import plain
from ..version import code_version
from .row import Row

FILE, LOCK = "ledger.sqlite", "ledger.lock"
LAYOUT = 1  # of the tables below
COLUMNS = tuple(f.name for f in fields(Row))
KINDS: dict[Any, str] = {int: "integer", bool: "integer", float: "real", float | None: "real"}
AS_JSON = ("violated", "margins", "visited")
AS_BOOL = ("activated", "due", "judged")


class Ledger:
    """Open for writing: nobody else may. `close` in every case; a killed process lets go by itself."""

    def __init__(self, folder: Path, data: sqlite3.Connection, lock: int) -> None:
        self.folder, self.data, self.lock = folder, data, lock

    @classmethod
    def create(cls, folder: Path, asked: dict[str, Any]) -> "Ledger":
        """A new one; LedgerError if there is one already."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"{folder}: cannot be made: {error.strerror}; choose another --out") from None
        ledger = cls(folder, *_open(folder))
        if _tables(ledger.data, folder):
            ledger.close()
            raise LedgerError(f"{folder}: holds a campaign already; go on with it by `linac-ctl campaign resume {folder}`, or "
                              "choose another --out")
        with ledger.kept():
            ledger.data.execute("create table meta (key text primary key, value text not null)")
            columns = ", ".join(f"{name} {_type(name)}" for name in COLUMNS)
            ledger.data.execute(f"create table rows ({columns}, primary key (case_id))")
            about = {"layout": LAYOUT, "code_version": code_version(), "asked": json.dumps(asked, sort_keys=True)}
            ledger.data.executemany("insert into meta values (?, ?)", about.items())
        return ledger

    @classmethod
    def resume(cls, folder: Path) -> "Ledger":
        """An old one to go on with; LedgerError when it is of another code or in use."""
        require(folder)
        ledger = cls(folder, *_open(folder))
        try:
            check_version(ledger.data, folder)
        except LedgerError:
            ledger.close()
            raise
        return ledger

    def asked(self) -> dict[str, Any]:
        """The campaign as it was begun, with everything it depends on."""
        return asked(self.data)

    def rows(self) -> Iterator[Row]:
        """In order of the cases."""
        return read_rows(self.data)

    def done(self) -> set[str]:
        """Ids of runs that have a row."""
        return {name for (name,) in self.data.execute("select case_id from rows")}

    def add(self, rows: Iterable[Row]) -> None:
        """All of them or none. RecordError when they cannot be kept; those added before are."""
        marks = ", ".join("?" * len(COLUMNS))
        with self.kept():
            self.data.executemany(f"insert or ignore into rows values ({marks})", [_cells(row) for row in rows])

    def note(self, key: str, value: str) -> None:
        """Something else about the campaign."""
        with self.kept():
            self.data.execute("insert or replace into meta values (?, ?)", (key, value))

    def kept(self) -> "_Kept":
        """A transaction whose failure is said in our words."""
        return _Kept(self)

    def close(self) -> None:
        """Everything into one file again, and let go."""
        self.data.close()
        os.close(self.lock)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Kept:
    """See `Ledger.kept`."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def __enter__(self) -> None:
        self.ledger.data.execute("begin")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self.ledger.data.execute("commit")
                return
        except sqlite3.Error as failure:
            error = failure
        if self.ledger.data.in_transaction:
            self.ledger.data.execute("rollback")
        if isinstance(error, sqlite3.Error):
            raise unwritable(self.ledger.folder, error) from None


def unwritable(folder: Path, error: sqlite3.Error) -> RecordError:
    """Full disk and the like."""
    return RecordError(f"{folder / FILE}: cannot be written: {error}; every run before this one is kept. Free space, then "
                       f"`linac-ctl campaign resume {folder}`")


def require(folder: Path) -> None:
    """LedgerError unless there is a campaign in this folder."""
    if not (folder / FILE).is_file():
        raise LedgerError(f"{folder}: holds no campaign; begin one with `linac-ctl campaign run FILE --out {folder}`")


def read(folder: Path) -> sqlite3.Connection:
    """For looking only; also while the campaign runs, and whatever the code."""
    require(folder)
    data = sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True, isolation_level=None)
    layout = _meta(data, folder).get("layout")
    if layout != str(LAYOUT):
        raise LedgerError(f"{folder}: its ledger has layout {layout}, this linac-ctl reads {LAYOUT}; use the release that made it")
    return data


def asked(data: sqlite3.Connection) -> dict[str, Any]:
    """The campaign as it was begun."""
    ((text,),) = data.execute("select value from meta where key = 'asked'").fetchall()
    found: dict[str, Any] = json.loads(text)
    return found


def version_of(data: sqlite3.Connection) -> str:
    """Of the code that made the rows."""
    ((text,),) = data.execute("select value from meta where key = 'code_version'").fetchall()
    return str(text)


def read_rows(data: sqlite3.Connection) -> Iterator[Row]:
    """In order of the cases."""
    for cells in data.execute(f"select {', '.join(COLUMNS)} from rows order by position"):
        yield _row(dict(zip(COLUMNS, cells, strict=True)))


def check_version(data: sqlite3.Connection, folder: Path) -> None:
    """LedgerError unless these rows are of this very code."""
    meta = _meta(data, folder)
    if meta.get("layout") == str(LAYOUT) and meta.get("code_version") == code_version():
        return
    raise LedgerError(f"{folder}: made by code {meta.get('code_version')}, this is {code_version()}; rows of two codes make no "
                      f"table. Begin anew with --out, or look at it with `linac-ctl campaign report {folder}`")


def _tables(data: sqlite3.Connection, folder: Path) -> int:
    """0 of a file that was only just made, also by a process that was killed then."""
    try:
        ((count,),) = data.execute("select count(*) from sqlite_master").fetchall()
    except sqlite3.Error as error:
        data.close()
        raise LedgerError(f"{folder / FILE}: no ledger of a campaign: {error}; choose another folder") from None
    return int(count)


def _meta(data: sqlite3.Connection, folder: Path) -> dict[str, str]:
    try:
        return {key: str(value) for key, value in data.execute("select key, value from meta")}
    except sqlite3.Error as error:
        raise LedgerError(f"{folder / FILE}: no ledger of a campaign: {error}; choose another folder") from None


def _open(folder: Path) -> tuple[sqlite3.Connection, int]:
    """-> (connection, lock); LedgerError when another process has it."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)  # not inherited by workers
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise LedgerError(f"{folder}: another process is at work on this campaign; wait for it, or end it, then "
                          f"`linac-ctl campaign resume {folder}`") from None
    try:
        data = sqlite3.connect(folder / FILE, isolation_level=None)  # transactions are begun and ended by hand
        data.execute("pragma journal_mode = wal")
        data.execute("pragma synchronous = normal")
    except sqlite3.Error as error:
        os.close(lock)
        if isinstance(error, sqlite3.OperationalError):
            raise unwritable(folder, error) from None
        raise LedgerError(f"{folder / FILE}: no ledger of a campaign: {error}; choose another folder") from None
    return data, lock


def _type(name: str) -> str:
    return KINDS.get(next(f.type for f in fields(Row) if f.name == name), "text")


def _cells(row: Row) -> list[Any]:
    return [json.dumps(plain(value), sort_keys=True) if name in AS_JSON else plain(value)
            for name in COLUMNS for value in (getattr(row, name),)]


def _row(cells: dict[str, Any]) -> Row:
    for name in AS_JSON:
        value = json.loads(cells[name])
        cells[name] = {k: tuple(v) for k, v in value.items() if v[0] is not None} if isinstance(value, dict) else tuple(value)
    for name in AS_BOOL:
        cells[name] = bool(cells[name])
    return Row(**cells)
