"""A page of the docs with a part that a benchmark writes, between two markers."""

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"


def replaced(page: str, name: str, block: str) -> str:
    """The page with ``block`` between ``<!-- name:begin -->`` and ``<!-- name:end -->``."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n{block}\n{end}{rest.split(end)[1]}"


def write(page: str, name: str, block: str, report: Any, kept_as: str) -> None:
    """Put a block into ``docs/<page>``, and keep the report it was made from beside it."""
    path = DOCS / page
    text = replaced(path.read_text(encoding="utf-8"), name, block)
    (DOCS / kept_as).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    path.write_text(text, encoding="utf-8")
