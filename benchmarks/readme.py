"""``python -m benchmarks.readme``: write the demo's figures into README.md, from docs/demo.json."""

import json
from pathlib import Path
from typing import Any

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
    report, candidates = demo["policy"]["report"], demo["candidates"]
    lines = [
        f"EASE on {demo['data']['name']}, RecBole's random 8:1:1 split, full ranking: "
        f"NDCG@10 {candidates['metrics']['ndcg@10']:.4f} by RecBole, "
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
    lines += ["", f"The gate: {demo['policy']['verdict']['headline']}", ""]
    item = demo["explained"][0]["items"][0]
    told = item["explanation"]
    lines += [
        f"An explanation ({told['source'].replace('_', ' ')}) for user "
        f"{demo['explained'][0]['user_id']}:",
        "",
        f"> {item['title']}: {told['text']}",
        "",
        f"The audit of the {demo['served_by']} slates opens with: "
        f"*{demo['audits']['after']['report']['verdict']['headline']}*",
    ]
    return "\n".join(lines)


def with_block(readme: str, demo: dict[str, Any]) -> str:
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n{block(demo)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    demo = json.loads((ROOT / "docs" / "demo.json").read_text())
    DemoReport.model_validate(demo)
    path = ROOT / "README.md"
    path.write_text(with_block(path.read_text(), demo))


if __name__ == "__main__":
    main()
