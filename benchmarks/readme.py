"""``fairloop demo --json | python -m benchmarks.readme``: the demo's figures, into README.md.

``docs/demo.json`` keeps the figures that the README shows. What the demo says of single people and
items stays out of the repository: MovieLens may not be redistributed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from fairloop.agents.report import EvaluationReport
from fairloop.platform.cli.train import kept_of_learning
from fairloop.platform.demo import DemoReport

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- demo:begin -->", "<!-- demo:end -->"


def figure(estimate: dict[str, Any] | None, digits: int = 3) -> str:
    if estimate is None:
        return "–"
    value, low, high = (f"{estimate[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def block(demo: dict[str, Any]) -> str:
    """The part of the README between the two markers."""
    report, candidates = demo["report"], demo["candidates"]
    lines = [
        f"{candidates['model']} on {candidates['data']}, RecBole's random 8:1:1 split, full "
        f"ranking: NDCG@10 {candidates['metrics']['ndcg@10']:.4f} by RecBole, "
        f"{candidates['measured']['ndcg@10']:.4f} by `fairloop.metrics` on the same lists.",
        "",
        f"On {report['n_users']} held-out users and {len(report['seeds'])} simulator seeds, with "
        f"{report['confidence']:.0%} intervals over users:",
        "",
        "| measure | floor | top-k | learned policy |",
        "| --- | --- | --- | --- |",
    ]
    for row in demo["closing"]:
        floor = "" if row["floor"] is None else f"≥ {row['floor']:.3f}"
        lines.append(
            f"| {row['measure']} | {floor} | {figure(row['before'])} | {figure(row['after'])} |"
        )
    lines += [
        "",
        "Every tuned baseline, on the same users and the same luck:",
        "",
        "| policy | simulated engagement | ratio to the best baseline | holds every floor |",
        "| --- | --- | --- | --- |",
    ]
    for row in report["policies"]:
        holds = all(c["violation_ucb"] <= 0 for c in row["constraints"])
        lines.append(
            f"| {row['name']} | {figure(row['engagement'], 2)} | "
            f"{figure(row['engagement_ratio'])} | {'yes' if holds else 'no'} |"
        )
    total = sum(demo["seconds"].values())
    lines += [
        "",
        f"The gate: *{demo['verdict']['headline']}* "
        f"{kept_of_learning(EvaluationReport.model_validate(report))}",
        "",
        "The audit of the first slate of every user opens with: "
        f"*{demo['audit']['headline']}* All of it took {total:.0f} s.",
    ]
    return "\n".join(lines)


def with_block(readme: str, demo: dict[str, Any]) -> str:
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n{block(demo)}\n{END}{rest.split(END)[1]}"


def kept(demo: dict[str, Any]) -> dict[str, Any]:
    """The part of a demo's report that stays in the repository."""
    return {
        "candidates": demo["candidates"],
        "report": demo["policy"]["report"],
        "verdict": demo["policy"]["verdict"],
        "closing": demo["closing"],
        "audit": demo["audits"]["after"]["report"]["verdict"],
        "seconds": demo["seconds"],
    }


def main() -> None:
    report = json.load(sys.stdin)
    DemoReport.model_validate(report)
    demo = kept(report)
    (ROOT / "docs" / "demo.json").write_text(json.dumps(demo, indent=1) + "\n")
    path = ROOT / "README.md"
    path.write_text(with_block(path.read_text(), demo))


if __name__ == "__main__":
    main()
