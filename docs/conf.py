"""Sphinx: `pip install "linac-ctl[docs]"`, then `sphinx-build -W docs build/docs`."""

from typing import Any

from pygments.lexers.special import TextLexer

project = "linac-ctl"
copyright = "linac-ctl contributors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "linac-ctl (simulator, not a medical device)"
exclude_patterns = ["build", "_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3


def setup(app: Any) -> None:
    """Diagrams are shown as their text: drawing them would need a program from elsewhere."""
    app.add_lexer("mermaid", TextLexer)
