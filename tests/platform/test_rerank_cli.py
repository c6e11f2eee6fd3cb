"""``fairloop rerank`` and ``fairloop frontier`` as people and scripts meet them."""

import json
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.synthetic import synthetic_candidates, synthetic_dataset
from fairloop.metrics.accuracy import ndcg, relevance_of
from fairloop.platform.cli import main as cli
from fairloop.rerankers.algorithms import algorithms

Run = Callable[..., tuple[int, str, str]]
N_USERS, N_ITEMS = 150, 80
QUICK = ("--replicates", "200")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in an empty folder; returns exit code, stdout and stderr."""

    def call(*words: object, home: Path = tmp_path / "no-home") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["fairloop", *map(str, words)])
        monkeypatch.setenv("FAIRLOOP_HOME", str(home))
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return call


def one_line(error: str) -> str:
    (line,) = [line for line in error.splitlines() if line.startswith("error: ")]
    return line


@dataclass(frozen=True)
class Shop:
    """Somebody else's files: string ids, ragged and unsorted lists, RecBole's header."""

    folder: Path

    def __getattr__(self, name: str) -> Path:
        return next(self.folder.glob(f"{name}.*"))

    @property
    def all(self) -> tuple[object, ...]:
        return (
            self.lists, "--items", self.items, "--users", self.users, "--relevance",
            self.relevance, "--history", self.history, "--groups", self.groups, "--k", 5,
        )  # fmt: skip


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, made once."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(4)
    dataset = synthetic_dataset(N_USERS, N_ITEMS, seed=3)
    made = synthetic_candidates(N_USERS, N_ITEMS, seed=3, top_n=25)
    users, columns = np.nonzero(made.items != PAD)
    lists = pd.DataFrame(
        {
            "user_id:token": dataset.user_ids[users],
            "item_id:token": dataset.item_ids[made.items[users, columns]],
            "score:float": made.scores[users, columns],
        }
    )
    ragged = lists[(columns < 12) | (rng.random(len(lists)) < 0.7)].sample(frac=1.0, random_state=1)
    ragged.to_csv(folder / "lists.tsv", sep="\t", index=False)
    for name, part in (("history", made.train), ("relevance", made.heldout)):
        ids = {"userId": dataset.user_ids[part.user], "itemId": dataset.item_ids[part.item]}
        pd.DataFrame({**ids, "rating": part.rating}).to_csv(folder / f"{name}.csv", index=False)
    items = dataset.item_attributes.assign(item_id=dataset.item_ids)
    items["genres"] = ["|".join(topics) for topics in items.pop("topics")]
    items["seller"] = [f"seller {i % 4}" for i in range(N_ITEMS)]
    items.to_parquet(folder / "items.parquet")
    people = dataset.user_attributes.assign(user=dataset.user_ids)
    people.to_csv(folder / "users.csv", index=False, sep=";")
    (folder / "groups.yaml").write_text(
        "items:\n- {kind: long_tail}\n- {kind: attribute, attribute: provider, column: seller}\n"
        "users:\n- {kind: activity}\n- {kind: attribute, attribute: gender}\n"
    )
    return folder


@pytest.fixture
def shop(written: Path, tmp_path: Path) -> Shop:
    return Shop(Path(shutil.copytree(written, tmp_path / "shop")))


def figure(report: dict, name: str, of: str = "") -> dict:
    (found,) = [e for e in report["effects"] if (e["name"], e["of"]) == (name, of)]
    return found


def test_lists_are_reranked_measured_and_written(run: Run, shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "slates.csv"
    code, text, _ = run(
        "rerank", *shop.all, "--algorithm", "mmr", "--set", "trade_off=0.4", "--out", out, "--json",
        *QUICK,
    )  # fmt: skip
    assert code == 0
    report = json.loads(text)
    assert (report["algorithm"], report["settings"]["trade_off"]) == ("mmr", 0.4)
    assert report["users"] == N_USERS and report["changed"] > 0.5 and not report["stochastic"]
    distance = figure(report, "ild_jaccard")
    assert distance["verdict"] == "better" and distance["p_value"] < 0.05
    for effect in report["effects"]:
        for side in ("before", "after"):
            value = effect[side]
            assert value is None or value["low"] <= value["value"] <= value["high"]
    kinds = {e["kind"] for e in report["effects"]}
    assert kinds == {"accuracy", "diversity", "popularity", "exposure", "calibration", "users"}
    shares = [e["after"]["value"] for e in report["effects"] if e["of"].startswith("provider=")]
    assert len(shares) == 4 and sum(shares) == pytest.approx(1.0)
    assert {gap["attribute"] for gap in report["gaps"]} == {"activity", "gender"}
    assert "embeddings" in report["missing"]["ild_cosine"]

    slates = pd.read_csv(out, dtype={"user": str, "item": str})
    assert slates.columns.tolist() == ["user", "item", "rank", "score", "propensity"]
    assert slates["rank"].tolist() == [1, 2, 3, 4, 5] * N_USERS
    proposed = pd.read_csv(shop.lists, sep="\t")
    proposed.columns = ["user", "item", "score"]
    assert len(slates.merge(proposed, on=["user", "item"])) == len(slates) == 5 * N_USERS
    assert (slates["propensity"] == 1.0).all()
    assert measured_by_hand(slates, shop) == pytest.approx(figure(report, "ndcg")["after"]["value"])


def measured_by_hand(slates: pd.DataFrame, shop: Shop) -> float:
    """Mean NDCG of the written slates on the relevance file."""
    held = pd.read_csv(shop.relevance)
    users = {name: row for row, name in enumerate(slates["user"].unique())}
    items = {name: i for i, name in enumerate(sorted({*slates["item"], *held["itemId"]}))}
    held = held[held["userId"].isin(users)]
    lists = np.array(
        [[items[i] for i in part["item"]] for _, part in slates.groupby("user", sort=False)]
    )
    relevance = relevance_of(
        lists,
        np.arange(len(users)),
        held["userId"].map(users).to_numpy(),
        held["itemId"].map(items).to_numpy(),
        len(items),
    )
    return float(np.nanmean(ndcg(*relevance)))


def test_the_same_seed_gives_the_same_report_and_parquet_works(
    run: Run, shop: Shop, tmp_path: Path
) -> None:
    words = ("rerank", *shop.all, "-a", "plackett-luce", "--json", "--seed", 7, *QUICK)
    reports = [json.loads(run(*words, "--out", tmp_path / f"{n}.parquet")[1]) for n in "ab"]
    assert reports[0] | {"out": None} == reports[1] | {"out": None}
    assert reports[0]["stochastic"]
    one, two = (pd.read_parquet(tmp_path / f"{n}.parquet") for n in "ab")
    pd.testing.assert_frame_equal(one, two)
    assert ((one["propensity"] > 0) & (one["propensity"] < 1)).all()


def test_what_cannot_be_measured_is_said(run: Run, shop: Shop) -> None:
    code, text, _ = run("rerank", shop.lists, "-a", "fairco", "--k", 5, "--json", *QUICK)
    assert code == 0
    report = json.loads(text)
    assert report["notes"]["popularity"].startswith("counted in the proposed lists")
    assert {e["kind"] for e in report["effects"]} == {"diversity", "popularity", "exposure"}
    assert report["missing"]["ndcg"] == "needs held-out pairs of user and item"
    assert "topics" in report["missing"]["ild_jaccard"]
    assert "history" in report["missing"]["popularity_lift"]
    assert report["gaps"] == []


def test_strength_0_changes_nothing(run: Run, shop: Shop) -> None:
    _, text, _ = run("rerank", *shop.all, "-a", "mmr", "--strength", 0, "--json", *QUICK)
    report = json.loads(text)
    assert report["changed"] == 0.0
    assert {e["verdict"] for e in report["effects"]} == {"not decided"}
    assert all(e["difference"] is None or e["difference"]["value"] == 0 for e in report["effects"])


def test_settings_out_of_a_file(run: Run, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text("algorithm: exposure-controller\ncontroller: {start_bonus: 0.5}\nblock: 4\n")
    words = ("rerank", *shop.all, "--config", file, "--json", *QUICK)
    _, text, _ = run(*words, "--set", "block=8")
    report = json.loads(text)
    assert report["settings"]["controller"]["start_bonus"] == 0.5
    assert report["settings"]["block"] == 8
    assert report["constraints"]["exposure"][0]["attribute"] == "popularity"
    code, _, error = run(*words, "--algorithm", "mmr")
    assert code == 2 and "'mmr' was asked for" in one_line(error)


def test_limits_and_other_groups(run: Run, shop: Shop, tmp_path: Path) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text("filters: {exclude_topics: ['Topic 0']}\n")
    out = tmp_path / "slates.csv"
    words = ("rerank", *shop.all, "-a", "det-greedy", "--attribute", "provider", "--json", *QUICK)
    code, text, _ = run(*words, "--limits", limits, "--k", 3, "--out", out)
    assert code == 0
    assert json.loads(text)["settings"]["attribute"] == "provider"
    items = pd.read_parquet(shop.items).set_index("item_id")["genres"]
    shown = items[pd.read_csv(out)["item"].unique()]
    assert not shown.str.contains("Topic 0").any()


def test_the_hint_for_a_column_of_another_name_works(run: Run, shop: Shop, tmp_path: Path) -> None:
    lists = pd.read_csv(shop.lists, sep="\t")
    lists.columns = ["person", "thing", "val"]
    lists.to_csv(tmp_path / "odd.csv", index=False)
    names: list[str] = []
    for what, name in (("user", "person"), ("item", "thing"), ("score", "val")):
        code, _, error = run("rerank", "odd.csv", "-a", "mmr", "--k", 5, *names)
        assert code == 2 and f"--column {what}=NAME" in one_line(error)
        names += ["--column", f"{what}={name}"]
    assert run("rerank", "odd.csv", "-a", "mmr", "--k", 5, *names, *QUICK)[0] == 0


def test_crossed_groups_are_measured_and_small_cells_are_counted_not_shown(
    run: Run, shop: Shop
) -> None:
    crossed = ("--user-attribute", "gender*activity", "--attribute", "provider*popularity")
    code, text, _ = run("rerank", *shop.all, "-a", "p-mmf", *crossed, *QUICK, "--json")
    report = json.loads(text)
    assert code == 0 and report["settings"]["attribute"] == "provider*popularity"
    assert figure(report, "exposure_share", "provider*popularity=seller 0 × long_tail")["after"]
    shown = {e["of"] for e in report["effects"] if e["name"] == "ndcg"}
    hidden = {n: r for n, r in report["missing"].items() if n.startswith("ndcg gender*activity=")}
    assert hidden and all("fewer than the 30" in reason for reason in hidden.values())
    cells = {of for of in shown if of.startswith("gender*activity=")}
    assert not cells & {name.removeprefix("ndcg ") for name in hidden}
    assert len(cells) + len(hidden) == 6
    code, _, error = run("rerank", *shop.all, "-a", "mmr", "--user-attribute", "gender*height")
    assert code == 2 and "user_attribute: no groups named 'height'" in one_line(error)


def test_for_people(run: Run, shop: Shop) -> None:
    code, text, _ = run("rerank", *shop.all, "-a", "mmr", *QUICK)
    assert code == 0
    for part in ("mmr", "ndcg", "ild_jaccard", "exposure_share provider=seller 0", "ndcg_gap"):
        assert part in text


def test_the_list_of_all_re_rankers(run: Run) -> None:
    code, text, _ = run("rerank", "--list", "--json")
    assert code == 0
    listed = json.loads(text)["algorithms"]
    assert [entry["name"] for entry in listed] == list(algorithms())
    code, text, _ = run("rerank", "--list")
    assert code == 0 and "Carbonell & Goldstein" in text and "trade_off=0.7" in text


def test_deployed_candidates_serve_where_no_file_is_named(
    run: Run, stocked_home: tuple[Path, str], tmp_path: Path
) -> None:
    home = Path(shutil.copytree(stocked_home[0], tmp_path / "home"))
    code, text, _ = run("rerank", "-a", "calibrated", "--json", *QUICK, home=home)
    assert code == 0
    report = json.loads(text)
    assert report["data"] == "EASE on synthetic"
    assert figure(report, "calibration_kl")["verdict"] == "better"
    for words in (("--relevance", "r.csv"), ("--groups", "g.yaml")):
        code, _, error = run("rerank", "-a", "mmr", *words, home=home)
        assert code == 2 and words[0].removeprefix("--") in one_line(error)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("lists",), "no re-ranker was named"),
        (("lists", "-a", "nonsense"), "no re-ranker named 'nonsense'"),
        (("lists", "-a", "mmr", "--set", "speed=3"), "speed: "),
        (("lists", "-a", "mmr", "--set", "trade_off"), "--set: 'trade_off' is no pair"),
        (("lists", "-a", "mmr", "--set", "trade_off=[1"), "trade_off: '[1' is no value"),
        (("lists", "-a", "mmr", "--set", "trade_off=1", "--set", "trade_off=0"), "set twice"),
        (("lists", "-a", "mmr", "--strength", "2"), "strength: strength is 2"),
        (("lists", "-a", "mmr", "--k", "20"), "have fewer than k=20 candidates"),
        (("lists", "-a", "mmr", "--k", "90", "--drop-short"), "no user has 90 candidates"),
        (("absent.csv", "-a", "mmr"), "no file absent.csv"),
        (("lists", "-a", "mmr", "--column", "user=whom"), "whom: "),
        (("lists", "-a", "mmr", "--column", "users=user"), "users"),
        (("lists", "-a", "mmr", "--out", "slates.xlsx"), "out: slates.xlsx ends in neither"),
        (("lists", "-a", "mmr", "--out", "shop.csv"), "out: shop.csv is a folder"),
        (("lists", "-a", "mmr", "--groups", "shop/groups.yaml"), "groups: "),
        (("lists", "-a", "mmr", "--attribute", "studio"), "attribute: no groups named 'studio'"),
        (("lists", "-a", "calibrated", "--items", "shop/items.parquet"), "profiles"),
        (("lists", "-a", "det-greedy", "--set", "attribute=studio"), "studio"),
        (("lists", "-a", "mmr", "--limits", "absent.yaml"), "absent.yaml"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    run: Run, shop: Shop, tmp_path: Path, words: tuple[str, ...], names: str
) -> None:
    (tmp_path / "shop.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    given = [str(shop.lists) if word == "lists" else word for word in words]
    length = () if "--k" in given else ("--k", 5)
    code, out, error = run("rerank", *given, *length, "--json", *QUICK)
    assert (code, out) == (2, "")
    assert names in one_line(error)
    assert sorted(tmp_path.rglob("*")) == before


def test_short_lists_can_be_left_out(run: Run, shop: Shop) -> None:
    words = ("rerank", shop.lists, "-a", "mmr", "--json", "--k", 20, *QUICK)
    assert run(*words)[0] == 2
    code, text, _ = run(*words, "--drop-short")
    assert code == 0
    report = json.loads(text)
    assert 0 < report["users"] < N_USERS
    assert int(report["notes"]["users with a short list"]) == N_USERS - report["users"]


def test_a_full_disk_leaves_the_earlier_file(
    run: Run, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    out = tmp_path / "slates.csv"
    out.write_text("earlier")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, text, error = run("rerank", *shop.all, "-a", "mmr", "--out", out, "--json", *QUICK)
    assert (code, text) == (2, "")
    assert "disk" in one_line(error) or "space" in one_line(error)
    assert out.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


METHODS = ("-a", "mmr", "-a", "det-greedy", "-a", "plackett-luce", "-a", "top-k")


def test_a_frontier_is_swept_compared_drawn_and_written(
    run: Run, shop: Shop, tmp_path: Path
) -> None:
    code, text, error = run(
        "frontier", *shop.all, *METHODS, "--points", 4, "--out", tmp_path / "f", "--json", *QUICK
    )
    assert code == 0
    assert "Sweeping" in error
    report = json.loads(text)
    assert [plane["against"] for plane in report["planes"]] == ["exposure-ratio", "ild", "user-gap"]
    assert "base order" in report["skipped_methods"]["top-k"]
    assert json.loads((tmp_path / "f" / "frontier.json").read_text()) == report
    for plane in report["planes"]:
        names = [method["algorithm"] for method in plane["methods"]]
        assert names == ["mmr", "det-greedy", "plackett-luce"]
        starts = {json.dumps(method["points"][0]) for method in plane["methods"]}
        assert len(starts) == 1  # the base order is common to all
        for method in plane["methods"]:
            assert [p["strength"] for p in method["points"]][::3] == [0.0, 1.0]
            assert set(method["dominates"]) <= set(names) - {method["algorithm"]}
        dominated = {(m["algorithm"], o) for m in plane["methods"] for o in m["dominates"]}
        assert dominated == {
            (o, m["algorithm"]) for m in plane["methods"] for o in m["dominated_by"]
        }
        png, svg = (Path(name) for name in plane["pictures"])
        assert png.read_bytes().startswith(b"\x89PNG")
        drawn = " ".join(ElementTree.parse(svg).getroot().itertext())
        assert all(name in drawn for name in names)
    ild = next(plane for plane in report["planes"] if plane["against"] == "ild")
    mmr = next(method for method in ild["methods"] if method["algorithm"] == "mmr")
    values = [point["measure"]["value"] for point in mmr["points"]]
    assert values[-1] > values[0] and mmr["gains"]


def test_equal_seeds_draw_equal_pictures(run: Run, shop: Shop, tmp_path: Path) -> None:
    words = ("frontier", *shop.all, "-a", "mmr", "-a", "plackett-luce", "--points", 3, *QUICK)
    for name in "ab":
        assert run(*words, "--against", "ild", "--out", tmp_path / name)[0] == 0
    one, two = ((tmp_path / name / "ild.svg").read_bytes() for name in "ab")
    assert one == two


def test_methods_with_settings_of_ones_own(run: Run, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "methods.yaml"
    file.write_text(
        "by genre: {algorithm: mmr}\nless: {algorithm: plackett-luce, temperature: 0.1}\n"
    )
    words = ("frontier", *shop.all, "--methods", file, "--points", 2, "--out", tmp_path / "f")
    code, text, _ = run(
        *words, "--against", "novelty", "--against", "calibration", "--json", *QUICK
    )
    assert code == 0
    (plane, other) = json.loads(text)["planes"]
    assert [method["algorithm"] for method in plane["methods"]] == ["by genre", "less"]
    assert (plane["against"], other["higher_is_better"]) == ("novelty", False)
    code, text, _ = run(*words, "--against", "worst-user-group", *QUICK)
    assert code == 0 and "by genre" in text and "worst-off group" in text


@pytest.mark.slow
def test_every_re_ranker_runs_or_says_why_not(run: Run, shop: Shop, tmp_path: Path) -> None:
    """All of the factory, whatever it holds, on lists that come without a history."""
    code, text, _ = run(
        "frontier", shop.lists, "--items", shop.items, "--relevance", shop.relevance, "--k", 5,
        "--points", 2,
        "--out", tmp_path / "f", "--json", *QUICK,
    )  # fmt: skip
    assert code == 0
    report = json.loads(text)
    assert set(report["skipped_measures"]) == {"user-gap"}
    plane = report["planes"][0]
    ran = {method["algorithm"] for method in plane["methods"]}
    assert ran | set(report["skipped_methods"]) == set(algorithms())
    assert not ran & set(report["skipped_methods"])
    assert "profiles" in report["skipped_methods"]["calibrated"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), "relevance: nothing says what was relevant"),
        (("--relevance", "shop/relevance.csv", "--against", "beauty"), "no measure named 'beauty'"),
        (("--relevance", "shop/relevance.csv", "--against", "ild"), "topics: no item has a topic"),
        (("--relevance", "shop/relevance.csv", "-a", "top-k"), "no method could run (top-k: With"),
        (("--relevance", "shop/history.csv", "--relevant-from", "9"), "relevant_from"),
        (("--relevance", "nobody.csv"), "none of the users with a list"),
        (("--relevance", "shop/relevance.csv", "--methods", "bad.yaml"), "ours: a method needs"),
        (("--relevance", "shop/relevance.csv", "--out", "bad.yaml"), "out: bad.yaml is a file"),
    ],
)
def test_a_frontier_that_cannot_be_drawn_says_why(
    run: Run, shop: Shop, tmp_path: Path, words: tuple[str, ...], names: str
) -> None:
    (tmp_path / "nobody.csv").write_text("user,item\nnobody,i1\n")
    (tmp_path / "bad.yaml").write_text("ours: {temperature: 0.1}\n")
    before = sorted(tmp_path.rglob("*"))
    code, out, error = run("frontier", shop.lists, "--k", 5, *words, "--json", *QUICK)
    assert (code, out) == (2, "")
    assert names in one_line(error)
    assert sorted(tmp_path.rglob("*")) == before
