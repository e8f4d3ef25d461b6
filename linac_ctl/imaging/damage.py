"""Files with damaged bytes: whatever a parser makes of them, one sentence that names the file."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from linac_ctl.errors import LinacError, RecordError


@contextmanager
def readable(what: object) -> Iterator[None]:
    """RecordError for any error within; warnings of what is refused or harmless are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except LinacError:
            raise
        except Exception as error:  # a parser raises many kinds, some of them its own
            raise RecordError(f"{what}: damaged or not DICOM as it should be: {error}; export it again") from error
