"""The project's own files as syntax trees."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def files(*folders: str) -> list[Path]:
    """Every Python file below the folders (all of ours by default), sorted."""
    return sorted(path for folder in folders or ("linac_ctl", "device_models") for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    """`linac_ctl/control/cycle.py`."""
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    """Parsed."""
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> set[str]:
    """Full names of modules that a file imports, anywhere in it; relative imports are made absolute."""
    package = list(path.relative_to(ROOT).with_suffix("").parts)
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found
