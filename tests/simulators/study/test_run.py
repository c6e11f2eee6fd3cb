"""Feedback-loop studies, with numpy's EASE in place of the RecBole process."""

import json
import shutil

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import RecBoleWorker
from fairloop.errors import InvalidValue, StorageFull, WorkerFailed
from fairloop.metrics.popularity import mean_popularity
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.linear import LinearConfig
from fairloop.rerankers.topk import TopKConfig, TopKReranker
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.impressions import read_impressions
from fairloop.simulators.study.config import ArmConfig
from fairloop.simulators.study.measures import MEASURES
from fairloop.simulators.study.run import run_study

TOP_K = ArmConfig(name="top-k", reranker=TopKConfig())
FULL = WorldConfig().model_dump()


@pytest.fixture(scope="module")
def result(dataset, config, make_worker):
    return run_study(config(), dataset, worker=make_worker())


@pytest.fixture(scope="module")
def stored(result, tmp_path_factory):
    return result.save(tmp_path_factory.mktemp("study") / "loop")


def values(result, measure, arm, of=""):
    frame = result.frame
    chosen = frame[(frame["measure"] == measure) & (frame["arm"] == arm) & (frame["of"] == of)]
    return chosen.sort_values(["seed", "round"])["value"].to_numpy()


def test_every_measure_is_there_for_each_arm_seed_and_round(result):
    counts = result.frame.groupby(["arm", "seed", "round"]).size()
    assert len(counts) == 2 * 2 * 4
    assert counts.nunique() == 1
    assert set(result.frame["measure"]) == set(MEASURES)
    assert result.frame["value"].notna().all()
    assert not result.frame.duplicated(["arm", "seed", "round", "measure", "of"]).any()


def test_shares_of_groups_add_up(result):
    of = ["popularity=head", "popularity=long_tail"]
    total = sum(values(result, "exposure_share", "top-k", name) for name in of)
    np.testing.assert_allclose(total, 1.0)


def test_the_controller_raises_what_it_controls(result):
    of = "popularity=long_tail"
    without = values(result, "exposure_share", "top-k", of)
    with_it = values(result, "exposure_share", "controller", of)
    assert (with_it > without).all()
    lift = values(result, "popularity_lift", "top-k") - values(
        result, "popularity_lift", "controller"
    )
    assert (lift > 0).all()


@pytest.mark.parametrize("world", [{}, FULL], ids=["static", "full"])
def test_equal_seeds_give_equal_results_whatever_else_is_run(dataset, world, config, make_worker):
    whole = run_study(config(world=world), dataset, worker=make_worker())
    alone = run_study(config(seeds=(2,), arms=(TOP_K,), world=world), dataset, worker=make_worker())
    frame = whole.frame
    same = frame[(frame["seed"] == 2) & (frame["arm"] == "top-k")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.frame, same)


@pytest.mark.parametrize("world", [{}, FULL], ids=["static", "full"])
def test_arms_that_show_the_same_see_the_same(dataset, world, config, worker):
    twin = ArmConfig(name="twin", reranker=MMRConfig(trade_off=1.0))
    both = run_study(config(arms=(TOP_K, twin), world=world), dataset, worker=worker)
    one, other = (
        both.frame[both.frame["arm"] == arm].drop(columns="arm").reset_index(drop=True)
        for arm in ("top-k", "twin")
    )
    pd.testing.assert_frame_equal(one, other)


def test_seeds_differ(result):
    clicks = values(result, "clicks_per_user", "top-k").reshape(2, 4)
    assert not np.array_equal(clicks[0], clicks[1])


@pytest.mark.parametrize(("refit_every", "fits"), [(1, 3), (2, 1), (4, 0)])
def test_the_model_is_fitted_again_every_so_many_rounds(dataset, refit_every, fits, config, worker):
    run_study(config(refit_every=refit_every, seeds=(1,), arms=(TOP_K,)), dataset, worker=worker)
    sizes = [len(train) for train in worker.refits]
    assert len(sizes) == 1 + fits  # the first ranks all items for the users' truth
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)  # each refit has learnt of new clicks


def test_nothing_clicked_is_shown_again(dataset, config, worker):
    shown: list[tuple[np.ndarray, np.ndarray]] = []

    class Recorder(TopKReranker):
        def rerank(self, pools, k, rng):
            slates = super().rerank(pools, k, rng)
            shown.append((pools.users, slates.items))
            return slates

    arm = ArmConfig(name="recorded", policy="any")
    run_study(
        config(arms=(arm,), seeds=(1,), refit_every=1),
        dataset,
        worker=worker,
        load_policy=lambda version, candidates, states: Recorder(),
    )
    for train, (users, items) in zip(worker.refits[1:], shown[1:], strict=True):
        assert not train.contains(users, items).any()


def test_a_part_of_the_users_can_take_part(dataset, config, worker):
    seen: list[np.ndarray] = []

    class Recorder(TopKReranker):
        def rerank(self, pools, k, rng):
            seen.append(pools.users)
            return super().rerank(pools, k, rng)

    run_study(
        config(users=20, rounds=2, arms=(ArmConfig(name="p", policy="v1"),)),
        dataset,
        worker=worker,
        load_policy=lambda version, candidates, states: Recorder(),
    )
    assert [len(set(users)) for users in seen] == [20] * 4
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])  # another seed, other people


def test_more_users_than_there_are_is_refused(dataset, config, worker):
    with pytest.raises(InvalidValue, match="61 users") as caught:
        run_study(config(users=61), dataset, worker=worker)
    assert caught.value.field == "users"


def test_an_arm_with_a_policy_needs_a_loader(dataset, config, worker):
    arm = ArmConfig(name="learned", policy="latest")
    with pytest.raises(InvalidValue, match="learned"):
        run_study(config(arms=(arm,)), dataset, worker=worker)


def test_a_controller_without_anything_to_hold_is_refused(dataset, config, worker):
    with pytest.raises(InvalidValue, match="do nothing"):
        run_study(config(constraints=None), dataset, worker=worker)


def test_the_callers_constraints_fill_a_gap(dataset, config, worker, floor):
    filled = run_study(
        config(constraints=None, rounds=1, seeds=(1,)),
        dataset,
        worker=worker,
        default_constraints=lambda candidates: floor,
    )
    assert filled.config.constraints == floor


def test_progress_counts_rounds(dataset, config, worker):
    calls = []
    run_study(
        config(rounds=2),
        dataset,
        worker=worker,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(done, 8) for done in range(1, 9)]


def test_results_are_stored_whole(result, stored):
    folder = stored
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "study.parquet"), result.frame)
    names = {path.name for path in folder.iterdir()}
    logs = {
        f"log-{arm}-seed{seed}.parquet" for arm in ("1-top-k", "2-controller") for seed in (1, 2)
    }
    assert names == {"manifest.json", "study.parquet", "study.png", "study.svg"} | logs
    listed = json.loads((folder / "manifest.json").read_text())["logs"]
    assert {entry["file"] for entry in listed} == logs
    image = matplotlib.image.imread(folder / "study.png")
    assert image.shape[1] > 1000
    assert image[..., :3].std() > 0.01  # something is drawn
    svg = (folder / "study.svg").read_text()
    for text in ("top-k", "controller", "Popularity lift", "long tail", "target"):
        assert text in svg


def test_equal_results_give_equal_files(result, stored, tmp_path):
    again = result.save(tmp_path / "again")
    for path in stored.iterdir():
        if path.name != "manifest.json":  # holds the time
            assert path.read_bytes() == (again / path.name).read_bytes()


def test_the_stored_log_gives_the_measures_again(base, result, stored):
    log = read_impressions(stored / "log-2-controller-seed1.parquet")
    assert len(log) == 4 * 60 * 5
    for number in range(4):
        today = log.take(log.day == number)
        clicks = values(result, "clicks_per_user", "controller")[number]
        assert today.clicked.sum() / len(np.unique(today.user)) == pytest.approx(clicks)
        engagement = values(result, "engagement", "controller")[number]
        assert np.nansum(today.satisfaction) / 60 == pytest.approx(engagement)
    assert set(log.user_ids) <= set(base.user_ids)
    assert (log.visit == log.day).all()  # a static world: everybody comes every day
    assert (log.propensity_slate == 1.0).all()
    assert np.unique(log.slate).tolist() == list(range(4 * 60))


def test_the_log_can_be_left_out(dataset, config, worker):
    plain = run_study(config(keep_log=False, rounds=1), dataset, worker=worker)
    assert plain.logs == {}


def test_a_full_disk_leaves_the_earlier_results(result, stored, tmp_path, monkeypatch):
    shutil.copytree(stored, tmp_path / "loop")
    before = (tmp_path / "loop" / "study.parquet").read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(StorageFull):
        result.save(tmp_path / "loop")
    assert (tmp_path / "loop" / "study.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


def test_the_last_round_is_a_table_with_the_reference_first(result):
    table = result.last_round()
    assert list(table.columns) == ["top-k", "controller"]
    expected = values(result, "gini", "top-k").reshape(2, 4)[:, -1].mean()
    assert table.loc[("gini", ""), "top-k"] == pytest.approx(expected)


def test_popularity_is_that_before_the_study(base, result):
    first = mean_popularity(base.items[:, :5], base.catalogue.popularity).mean()
    profile = np.mean([base.catalogue.popularity[base.train.items_of(u)].mean() for u in range(60)])
    lift = values(result, "popularity_lift", "top-k").reshape(2, 4)[:, 0]
    np.testing.assert_allclose(lift, (first - profile) / profile)


@pytest.mark.slow
def test_a_recbole_model_is_refitted_in_the_loop(dataset, config):
    settings = config(rounds=2, seeds=(1,), candidates=CandidateConfig(top_n=60))
    with RecBoleWorker() as worker:
        result = run_study(settings, dataset, worker=worker)
    assert result.metrics["ndcg@10"] > 0
    assert len(values(result, "ndcg", "controller")) == 2


def test_people_leave_stay_away_and_are_counted(dataset, config, worker):
    result = run_study(config(world=FULL, rounds=8, seeds=(1,)), dataset, worker=worker)
    for arm in ("top-k", "controller"):
        came, stayed = values(result, "active_users", arm), values(result, "retention", arm)
        assert came[0] == 60
        assert (came[1:] < 60).all()
        assert (np.diff(stayed) <= 0).all()
        assert 0 < stayed[-1] < 1
        slates = [visits for visits in result.logs[arm, 1].visits if visits.day == 5]
        assert sum(map(len, slates)) == came[5]


def test_a_reranker_with_memory_sees_what_happened(dataset, config, worker):
    weights = {"base": 1.0, "fatigue": -100.0}  # the first day top-k's slates, then others
    arm = ArmConfig(name="memory", reranker=LinearConfig(weights=weights))
    settings = config(world=FULL, seeds=(1,), arms=(TOP_K, arm))
    result = run_study(settings, dataset, worker=worker)
    first, again = (repeats(result.logs[name, 1].visits) for name in ("top-k", "memory"))
    assert again < first / 4


def repeats(visits):
    """How often users were shown an item that they had been shown before."""
    shown = [
        (user, item)
        for v in visits
        for user, items in zip(v.users, v.items, strict=True)
        for item in items
    ]
    return len(shown) - len(set(shown))


def test_a_study_goes_on_to_its_end_when_everybody_has_left(dataset, config, worker):
    world = {"leaving": {"base_rate": 0.9, "sensitivity": 0.0}}
    settings = config(world=world, rounds=8, seeds=(1,), arms=(TOP_K,))
    result = run_study(settings, dataset, worker=worker)
    came = values(result, "active_users", "top-k")
    assert len(came) == 8
    assert came[-1] == 0
    empty = int((came > 0).sum()) + 1
    last = result.frame[result.frame["round"] >= empty]
    assert set(last["measure"]) == {
        *("active_users", "retention", "engagement", "data_gini", "consumption_overlap")
    }
    assert values(result, "retention", "top-k")[-1] == 0
    assert len(worker.refits) <= empty + 1  # nothing new to learn from
    table = result.last_round()
    assert table.loc[("active_users", ""), "top-k"] == 0


def test_sessions_bring_several_slates_on_one_day(dataset, config, worker):
    world = {"session": {"mean_slates": 3.0}}
    result = run_study(
        config(world=world, rounds=2, seeds=(1,), arms=(TOP_K,)), dataset, worker=worker
    )
    visits = result.logs["top-k", 1].visits
    assert sum(v.day == 0 for v in visits) > 1
    first, second = visits[:2]
    assert set(second.users) < set(first.users)
    assert (second.visit == 0).all()
    assert values(result, "active_users", "top-k")[0] == 60
    for u, items in zip(second.users, second.items, strict=True):
        row = np.flatnonzero(first.users == u)[0]
        assert not set(items) & set(first.items[row][first.clicks[row]])


def test_exploration_shows_random_slates_with_their_propensity(dataset, config, worker):
    settings = config(feedback={"exploration": 0.3}, rounds=2, seeds=(1,), arms=(TOP_K,))
    result = run_study(settings, dataset, worker=worker)
    p = np.concatenate([visits.propensities for visits in result.logs["top-k", 1].visits])
    explored = p < 0.5
    assert 0.15 < explored.mean() < 0.45
    np.testing.assert_allclose(p[~explored], 0.7, atol=1e-6)


def test_fewer_ratings_leave_less_to_learn_from(dataset, config, make_worker):
    sizes = []
    for feedback in ({}, {"trains_on": "ratings", "rating_probability": 0.3}):
        worker = make_worker()
        settings = config(feedback=feedback, seeds=(1,), arms=(TOP_K,), rounds=3)
        result = run_study(settings, dataset, worker=worker)
        first = result.logs["top-k", 1].visits[0]
        sizes.append((len(worker.refits[1]), len(worker.refits[0]) + first.clicks.sum()))
    assert sizes[0][0] == sizes[0][1]
    assert sizes[1][0] < sizes[1][1]


def test_a_failed_fit_is_raised_and_leaves_nothing(dataset, config, make_worker, tmp_path):
    class Failing(make_worker):
        def refit(self, base, train, top_n=None):
            if len(self.refits) == 2:
                raise WorkerFailed("RecBole could not fit EASE")
            return super().refit(base, train, top_n)

    with pytest.raises(WorkerFailed):
        run_study(config(), dataset, worker=Failing()).save(tmp_path / "loop")
    assert not any(tmp_path.iterdir())
