"""docs/rerankers.md: every re-ranker, the stored benchmark's table, a sample that runs."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import rerankers as page_of
from benchmarks.pages.page import replaced

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "rerankers.md").read_text()


def test_every_re_ranker_is_documented(config) -> None:
    assert f"| `{config.algorithm}` |" in PAGE


def test_the_table_is_that_of_the_stored_benchmark() -> None:
    report = json.loads((DOCS / "rerankers.json").read_text())
    assert replaced(PAGE, "benchmark", page_of.block(report)) == PAGE
    assert PAGE.count(" ms |") == sum(
        row["name"].endswith(page_of.TIMED) for row in report["results"]
    )


def test_the_sample_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/rerankers.md", "exec"), names)
    slates = names["slates"]
    assert slates.items.shape[1] == 10 and (slates.propensities == 1).all()
    assert all(len(np.unique(row)) == 10 for row in slates.items)
