"""Pages that are made from the code: written where they are not current, or only looked at."""

import sys
from pathlib import Path


def keep_current(pages: dict[Path, str], tool: str, arguments: list[str]) -> int:
    """0, or with `--check` 1 when a page is not what the code says; without, it is written. `tool` is what makes it."""
    old = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in old:
        if "--check" in arguments:
            sys.stdout.write(f"docs/reference/{path.name}: not current; run tools/{tool}.py\n")
        else:
            path.write_text(pages[path], encoding="utf-8")
    return 1 if old and "--check" in arguments else 0
