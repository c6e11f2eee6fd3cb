"""The page: it agrees with the JSON figure by figure, needs nothing else, and opens cleanly."""

import errno
import json
import os
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.errors import StorageFull
from fairloop.platform.audit.compute import AuditConfig, AuditInputs, AuditReport, compute_audit
from fairloop.platform.audit.report import render_html, write_audit
from fairloop.rerankers.constraints import Constraints, ExposureFloor, HardFilters

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def report() -> AuditReport:
    rng = np.random.default_rng(0)
    n_users, n_items = 200, 50
    item_codes = rng.integers(-1, 3, size=n_items)
    user_codes = rng.integers(-1, 2, size=n_users)
    user_codes[:10] = 2
    inputs = AuditInputs(
        slates=rng.permuted(np.tile(np.arange(n_items), (n_users, 1)), axis=1)[:, :6],
        users=np.arange(n_users),
        catalogue=Catalogue(
            item_ids=np.arange(n_items).astype(str),
            titles=np.arange(n_items).astype(str),
            topics=rng.random((n_items, 5)) < 0.4,
            topic_names=tuple("abcde"),
            year=np.full(n_items, np.nan),
            popularity=rng.integers(1, 90, size=n_items).astype(float),
            groups={"popularity": Groups("popularity", ("head", "mid", "long_tail"), item_codes)},
        ),
        user_groups={"age_band": Groups("age_band", ("young", HOSTILE, "65+"), user_codes)},
        held_out_users=np.repeat(np.arange(n_users), 4),
        held_out_items=rng.integers(0, n_items, size=4 * n_users),
        profile_users=np.arange(n_users),
        profile_items=rng.integers(0, n_items, size=n_users),
        about={"Data set": HOSTILE},
    )
    limits = Constraints(
        exposure=(ExposureFloor(attribute="popularity", group="long_tail", share=0.3),),
        min_diversity=0.5,
        filters=HardFilters(exclude_items=frozenset({"nothing"})),
    )
    return compute_audit(
        inputs, AuditConfig(constraints=limits, n_bootstrap=200, n_permutations=199)
    )


class Figures(HTMLParser):
    """Collects ``data-figure`` → (``data-value``, text), and every address in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, str]] = {}
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self._open: str | None = None

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [given[name] for name in ("src", "href", "action") if name in given]
        self._open = given.get("data-figure")
        if self._open is not None:
            assert self._open not in self.found, f"{self._open} stands twice"
            self.found[self._open] = (given["data-value"], "")

    def handle_data(self, data) -> None:
        if self._open is not None:
            value, text = self.found[self._open]
            self.found[self._open] = (value, text + data)

    def handle_endtag(self, tag) -> None:
        self._open = None


def parse(html: str) -> Figures:
    figures = Figures()
    figures.feed(html)
    return figures


def numbers(part, path: str = "") -> dict[str, float | int | None]:
    """Every number of the JSON, and every null in a number's place, by path."""
    if isinstance(part, dict):
        pairs = part.items()
    elif isinstance(part, list):
        pairs = ((str(i), value) for i, value in enumerate(part))
    else:
        return {} if isinstance(part, str) else {path: part}
    out: dict[str, float | int | None] = {}
    for name, value in pairs:
        if value is None and name in ("highest", "lowest"):
            continue  # names of groups, not numbers
        out |= numbers(value, f"{path}.{name}" if path else name)
    return out


def test_html_and_json_agree_figure_by_figure(report: AuditReport) -> None:
    expected = numbers(json.loads(report.model_dump_json()))
    figures = parse(render_html(report)).found
    assert len(expected) > 100
    assert set(figures) == set(expected)
    for path, value in expected.items():
        assert json.loads(figures[path][0]) == value, path


def test_what_is_read_is_the_rounded_value(report: AuditReport) -> None:
    for path, (raw, text) in parse(render_html(report)).found.items():
        value = json.loads(raw)
        if value is None:
            assert text in ("–", "", "too few users", "not known"), path
            continue
        if text.startswith("<"):
            assert value < float(text[2:]), path
            continue
        shown = text.replace(",", "").replace("−", "-")
        scale = 100 if shown.endswith("%") else 1
        shown = shown.removesuffix("%").strip()
        decimals = len(shown.partition(".")[2])
        assert float(shown) == pytest.approx(value * scale, abs=0.5001 * 10**-decimals), path


def test_the_page_needs_nothing_but_itself(report: AuditReport) -> None:
    html = render_html(report)
    page = parse(html)
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "script" not in page.tags
    for word in ("http://", "https://", "url(", "@import"):
        assert word not in html


def test_hostile_names_are_text(report: AuditReport) -> None:
    html = render_html(report)
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html


def test_the_page_opens_with_the_verdict_and_charts_have_words(report: AuditReport) -> None:
    html = render_html(report)
    assert html.index('id="verdict"') < html.index("<table")
    assert html.count("<svg") == html.count('role="img" aria-label="') == 1 + 3
    assert html.count("<svg") <= html.count("<table")


def test_json_round_trips(report: AuditReport) -> None:
    assert AuditReport.model_validate_json(report.model_dump_json()) == report


def test_both_files_are_written(report: AuditReport, tmp_path: Path) -> None:
    data, html = write_audit(report, tmp_path / "audits", "a1")
    assert AuditReport.model_validate_json(data.read_text()) == report
    assert html.read_text() == render_html(report)
    assert {path.name for path in data.parent.iterdir()} == {"a1.json", "a1.html"}


def test_a_full_disk_leaves_nothing_behind(
    report: AuditReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        write_audit(report, tmp_path, "a1")
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_almost_nothing_can_be_drawn(report: AuditReport) -> None:
    empty = report.model_copy(update={"targets": (), "item_groups": {}, "user_groups": {}})
    page = parse(render_html(empty))
    assert not any(path.startswith(("targets", "item_groups")) for path in page.found)


@pytest.mark.browser
def test_the_page_opens_in_chromium(report: AuditReport, tmp_path: Path, browser) -> None:
    _, html = write_audit(report, tmp_path)
    browser.get(html.as_uri())
    verdict = browser.find_element("id", "verdict")
    assert verdict.is_displayed()
    assert report.verdict.headline in verdict.text
    assert verdict.location["y"] < 100
    severe = [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"]
    assert severe == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    addresses = {
        event["params"]["request"]["url"]
        for event in asked
        if event["method"] == "Network.requestWillBeSent"
        and event["params"]["documentURL"] == html.as_uri()
    }
    outside = {a for a in addresses if not a.startswith("data:")}
    assert outside == {html.as_uri()}
    width = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert width <= 0
