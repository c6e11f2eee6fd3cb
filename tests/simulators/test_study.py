"""Feedback-loop studies, with numpy's EASE in place of the RecBole process."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.ease import ease_weights
from fairloop.candidates.fit import RecBoleWorker
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.item_weights import ItemWeights
from fairloop.candidates.synthetic import ease_candidates, synthetic_dataset
from fairloop.candidates.top_n import top_n
from fairloop.errors import InvalidValue, StorageFull
from fairloop.metrics.popularity import mean_popularity
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.diversity.mmr import MMRConfig
from fairloop.rerankers.exposure import ExposureConfig
from fairloop.rerankers.topk import TopKConfig, TopKReranker
from fairloop.simulators.study import run_study
from fairloop.simulators.study_config import ArmConfig, StudyConfig
from fairloop.simulators.study_measures import MEASURES
from fairloop.simulators.study_users import RunningStates, StudyUsers, append_clicks

TOP_K = ArmConfig(name="top-k", reranker=TopKConfig())
FLOOR = Constraints(exposure=(ExposureFloor(attribute="popularity", group="long_tail", share=0.5),))


class NumpyWorker:
    """EASE without RecBole; counts its fits and keeps what it was given."""

    def __init__(self):
        self.refits: list[Interactions] = []

    def fit(self, dataset, config, groups):
        return ease_candidates(dataset, config)

    def refit(self, base, train, top_n=None):
        self.refits.append(train)
        return refit(base, train, top_n or base.config.top_n)


def refit(base, train, n):
    weights = ease_weights(train.matrix())
    scores = train.matrix() @ weights
    items, best = top_n(scores, train.plus(base.valid).matrix(), n)
    return replace(
        base, train=train, items=items, scores=best, item_weights=ItemWeights.of(weights)
    )


@pytest.fixture(scope="module")
def dataset():
    return synthetic_dataset(n_users=60, n_items=150, seed=4)


def config(**changes) -> StudyConfig:
    settings = {
        "candidates": CandidateConfig(top_n=60, seed=4),
        "rounds": 4,
        "seeds": (1, 2),
        "k": 5,
        "arms": (TOP_K, ArmConfig(name="controller", reranker=ExposureConfig())),
        "constraints": FLOOR,
    }
    return StudyConfig(**(settings | changes))


@pytest.fixture(scope="module")
def result(dataset):
    return run_study(config(), dataset, worker=NumpyWorker())


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


def test_equal_seeds_give_equal_results_whatever_else_is_run(dataset, result):
    alone = run_study(config(seeds=(2,), arms=(TOP_K,)), dataset, worker=NumpyWorker())
    frame = result.frame
    same = frame[(frame["seed"] == 2) & (frame["arm"] == "top-k")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.frame, same)


def test_arms_that_show_the_same_see_the_same(dataset):
    twin = ArmConfig(name="twin", reranker=MMRConfig(trade_off=1.0))
    both = run_study(config(arms=(TOP_K, twin)), dataset, worker=NumpyWorker())
    for measure in ("clicks_per_user", "ndcg", "data_gini"):
        np.testing.assert_array_equal(values(both, measure, "top-k"), values(both, measure, "twin"))


def test_seeds_differ(result):
    clicks = values(result, "clicks_per_user", "top-k").reshape(2, 4)
    assert not np.array_equal(clicks[0], clicks[1])


@pytest.mark.parametrize(("refit_every", "fits"), [(1, 3), (2, 1), (4, 0)])
def test_the_model_is_fitted_again_every_so_many_rounds(dataset, refit_every, fits):
    worker = NumpyWorker()
    run_study(config(refit_every=refit_every, seeds=(1,), arms=(TOP_K,)), dataset, worker=worker)
    sizes = [len(train) for train in worker.refits]
    assert len(sizes) == 1 + fits  # the first ranks all items for the users' truth
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)  # each refit has learnt of new clicks


def test_nothing_clicked_is_shown_again(dataset):
    shown: list[tuple[np.ndarray, np.ndarray]] = []

    class Recorder(TopKReranker):
        def rerank(self, pools, k, rng):
            slates = super().rerank(pools, k, rng)
            shown.append((pools.users, slates.items))
            return slates

    worker = NumpyWorker()
    arm = ArmConfig(name="recorded", policy="any")
    run_study(
        config(arms=(arm,), seeds=(1,), refit_every=1),
        dataset,
        worker=worker,
        load_policy=lambda version, candidates, states: Recorder(),
    )
    for train, (users, items) in zip(worker.refits[1:], shown[1:], strict=True):
        assert not train.contains(users, items).any()


def test_a_part_of_the_users_can_take_part(dataset):
    seen: list[np.ndarray] = []

    class Recorder(TopKReranker):
        def rerank(self, pools, k, rng):
            seen.append(pools.users)
            return super().rerank(pools, k, rng)

    run_study(
        config(users=20, rounds=2, arms=(ArmConfig(name="p", policy="v1"),)),
        dataset,
        worker=NumpyWorker(),
        load_policy=lambda version, candidates, states: Recorder(),
    )
    assert [len(set(users)) for users in seen] == [20] * 4
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])  # another seed, other people


def test_more_users_than_there_are_is_refused(dataset):
    with pytest.raises(InvalidValue, match="61 users") as caught:
        run_study(config(users=61), dataset, worker=NumpyWorker())
    assert caught.value.field == "users"


def test_an_arm_with_a_policy_needs_a_loader(dataset):
    arm = ArmConfig(name="learned", policy="latest")
    with pytest.raises(InvalidValue, match="learned"):
        run_study(config(arms=(arm,)), dataset, worker=NumpyWorker())


def test_a_controller_without_anything_to_hold_is_refused(dataset):
    with pytest.raises(InvalidValue, match="do nothing"):
        run_study(config(constraints=None), dataset, worker=NumpyWorker())


def test_the_callers_constraints_fill_a_gap(dataset):
    filled = run_study(
        config(constraints=None, rounds=1, seeds=(1,)),
        dataset,
        worker=NumpyWorker(),
        default_constraints=lambda candidates: FLOOR,
    )
    assert filled.config.constraints == FLOOR


def test_progress_counts_rounds(dataset):
    calls = []
    run_study(
        config(rounds=2),
        dataset,
        worker=NumpyWorker(),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(2, 8), (4, 8), (6, 8), (8, 8)]


def test_results_are_stored_whole(result, tmp_path):
    folder = result.save(tmp_path / "loop")
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "study.parquet"), result.frame)
    names = {path.name for path in folder.iterdir()}
    assert names == {"manifest.json", "study.parquet", "study.png", "study.svg"}
    image = matplotlib.image.imread(folder / "study.png")
    assert image.shape[1] > 1000
    assert image[..., :3].std() > 0.01  # something is drawn
    svg = (folder / "study.svg").read_text()
    for text in ("top-k", "controller", "Popularity lift", "long tail", "target"):
        assert text in svg


def test_equal_results_give_equal_pictures(result, tmp_path):
    one, two = result.save(tmp_path / "one"), result.save(tmp_path / "two")
    for name in ("study.svg", "study.png", "study.parquet"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_full_disk_leaves_the_earlier_results(result, tmp_path, monkeypatch):
    result.save(tmp_path / "loop")
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


@pytest.fixture(scope="module")
def base(dataset):
    return ease_candidates(dataset, CandidateConfig(top_n=60, seed=4))


@pytest.fixture(scope="module")
def people(base):
    ranking = refit(base, base.train, base.n_items)
    return StudyUsers.fit(ranking, np.arange(60), config().world, 5, seed=3)


def test_clicks_follow_examination_times_attraction(people):
    items = np.tile(np.argsort(-people.attraction.mean(axis=0))[:5], (60, 1))
    rounds = 400
    clicks = np.mean([people.react(items, r).clicks for r in range(1, rounds + 1)], axis=0)
    expected = people.examined * people.attraction[np.arange(60)[:, None], items]
    error = np.sqrt(expected * (1 - expected) / rounds)
    assert np.abs(clicks - expected).max() < 5 * error.max()
    assert np.abs(clicks.mean(axis=0) - expected.mean(axis=0)).max() < 5 * error.max() / 60**0.5


def test_luck_belongs_to_the_item_not_to_its_place(people):
    items = np.tile(np.arange(5), (60, 1))
    certain = replace(people, examined=np.ones(5, np.float32))
    forth = certain.react(items, 1)
    back = certain.react(items[:, ::-1], 1)
    np.testing.assert_array_equal(forth.clicks, back.clicks[:, ::-1])
    np.testing.assert_array_equal(forth.satisfaction, back.satisfaction[:, ::-1])


def test_satisfaction_is_known_where_clicked_alone(people):
    reaction = people.react(np.tile(np.arange(5), (60, 1)), 1)
    assert np.array_equal(~np.isnan(reaction.satisfaction), reaction.clicks)
    known = reaction.satisfaction[reaction.clicks]
    assert 0 <= known.min() <= known.max() <= 1


def test_clicks_become_new_interactions_on_the_scale_of_ratings(base, people):
    items = base.items[:, :5]
    reaction = people.react(items, 1)
    grown = append_clicks(base.train, base.train, items, people.users, reaction, 1)
    assert len(grown) == len(base.train) + reaction.clicks.sum()
    assert np.array_equal(grown.contains(people.users, items), reaction.clicks)
    new = grown.timestamp > base.train.timestamp.max()
    assert new.sum() == reaction.clicks.sum()
    assert base.train.rating.min() <= grown.rating[new].min()
    assert grown.rating[new].max() <= base.train.rating.max()
    again = append_clicks(grown, base.train, items, people.users, reaction, 2)
    assert len(again) == len(grown)


def test_observed_counts_follow_items_from_pool_to_pool(base, people):
    states = RunningStates(base.catalogue)
    pools = base.pools(people.users)
    slates = TopKReranker().rerank(pools, 5, np.random.default_rng(0))
    reaction = people.react(slates.items, 1)
    states.note(pools, slates, reaction)
    before = states.of(pools).item_shown.copy()
    assert (before[:, :5] > 0).all()
    assert (before[:, 5:] == 0).all()
    dropped = pools.keep(np.arange(base.n_items) != pools.items[0, 0])
    after = states.of(dropped).item_shown
    for row in range(5):
        old = dict(zip(pools.items[row], before[row], strict=True))
        for item, count in zip(dropped.items[row], after[row], strict=True):
            assert count == (0 if item == PAD else old[item])
    assert states.of(dropped).n_slates.tolist() == [1.0] * 60


def test_popularity_is_that_before_the_study(dataset, result):
    base = ease_candidates(dataset, config().candidates)
    first = mean_popularity(base.items[:, :5], base.catalogue.popularity).mean()
    profile = np.mean([base.catalogue.popularity[base.train.items_of(u)].mean() for u in range(60)])
    lift = values(result, "popularity_lift", "top-k").reshape(2, 4)[:, 0]
    np.testing.assert_allclose(lift, (first - profile) / profile)


def test_a_recbole_model_is_refitted_in_the_loop(dataset):
    settings = config(rounds=2, seeds=(1,), candidates=CandidateConfig(top_n=60))
    with RecBoleWorker() as worker:
        result = run_study(settings, dataset, worker=worker)
    assert result.metrics["ndcg@10"] > 0
    assert len(values(result, "ndcg", "controller")) == 2
