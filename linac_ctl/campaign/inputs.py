"""What the rows of a campaign depend on besides code: the files of its sessions. Read once, before any worker starts."""

import tempfile
from pathlib import Path
from typing import Any

from ..errors import LedgerError
from .config import CampaignConfig


def input_hashes(config: CampaignConfig) -> dict[str, str]:
    """Session -> hash over its plan and every file it is made of; ConfigError or PlanError when one is wrong."""
    from hashlib import sha256

    from ..order import resolve

    found = {}
    with tempfile.TemporaryDirectory(prefix="linac-ctl-") as scratch:
        for one in config.sessions:
            order = resolve(one.session, machine=one.machine, workflow=one.workflow, scratch=Path(scratch))
            name = " ".join(part for part in (one.session, one.workflow, one.machine) if part)
            found[name] = sha256(f"{order.configuration_sha256}/{order.plan.sha256}".encode()).hexdigest()[:16]
    return found


def check_inputs(asked: dict[str, Any], config: CampaignConfig, folder: Path) -> None:
    """LedgerError when a session is another than at the beginning."""
    now = input_hashes(config)
    changed = [name for name, value in asked["inputs"].items() if now.get(name) != value]
    if changed:
        raise LedgerError(f"{folder}: session {changed[0]!r} has changed since this campaign began; rows of two sessions make no "
                          "table. Put its files back, or begin anew with another --out")
