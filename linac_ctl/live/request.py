"""One line of JSON each way over the control socket: what is asked, what is answered."""

import json
from typing import Any

from ..errors import LinacError, UsageError

LONGEST = 65_536  # bytes of a line
VERBS = {"inject": ("fault",), "clear": ("id",), "list": ()}


def parse_request(line: bytes) -> dict[str, Any]:
    """UsageError for anything that is no request."""
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise UsageError(f"control socket: no JSON: {error}") from None
    verb = asked.get("do") if isinstance(asked, dict) else None
    if verb not in VERBS:
        raise UsageError(f"control socket: `do` is {verb!r}; it can be {', '.join(VERBS)}")
    if missing := [key for key in VERBS[verb] if key not in asked]:
        raise UsageError(f"control socket: {verb} needs {', '.join(missing)}")
    return {key: asked[key] for key in ("do", *VERBS[verb])}


def answer(**said: Any) -> bytes:
    """A good one."""
    return json.dumps({"ok": True, **said}).encode() + b"\n"


def refusal(error: LinacError) -> bytes:
    """What was wrong, in the words and with the exit code that the command line has for it."""
    told = {"kind": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
    return json.dumps({"ok": False, "error": told}).encode() + b"\n"
