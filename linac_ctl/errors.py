"""What can go wrong, said once: every error knows its exit code and says who, what, the limit and what to do next."""


class LinacError(Exception):
    """Base of all errors we raise on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(LinacError):
    """The command line asked for something that does not exist or does not fit together."""

    exit_code = 2


class LinkUrlError(UsageError, ValueError):
    """A link names a line in a way that is not understood. A ValueError too, so that files that hold it say where."""


class LinkError(LinacError):
    """A line to a device cannot be opened: not there, not allowed, in use, no answer, rate not possible."""

    exit_code = 6


class ConfigError(LinacError):
    """A configuration file is wrong; the message starts with file:line:column."""

    exit_code = 3


class PlanError(LinacError):
    """A plan cannot be read or cannot be delivered; the message names beam, control point, tag, value and limit."""

    exit_code = 3


class RefusedError(LinacError):
    """We will not: a precondition or limit says no."""

    exit_code = 1


class Aborted(LinacError):
    """Somebody pressed stop: beam off, motion stopped, session over."""

    exit_code = 1


class DeviceError(LinacError):
    """It could not: a device did not do what it was asked in time, or was tripped."""

    exit_code = 4


class ControllerGone(LinacError):
    """A fault has killed the controller's process, or frozen it for good: nobody is there to end the session."""

    exit_code = 4


class FaultScheduleError(LinacError):
    """A fault that cannot be injected: unknown, out of range, of a device that is not there, or nothing is armed."""

    exit_code = 3


class RecordError(LinacError):
    """A record cannot be written or read."""

    exit_code = 5


class LedgerError(LinacError):
    """The ledger of a campaign is in use, of another code, not there, or there already."""

    exit_code = 7


class EngineError(LinacError):
    """The workers of a campaign cannot be reached, or are not of this code."""

    exit_code = 8


class RefereeError(LinacError):
    """What truly happened in a run violates a property that every run must have."""

    exit_code = 9
