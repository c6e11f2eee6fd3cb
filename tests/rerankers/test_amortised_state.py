"""States of the amortised re-rankers: saved, restored, and merged across workers."""

from itertools import permutations

import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.rerankers.amortised.fairco import FairCoConfig, FairCoState
from fairloop.rerankers.amortised.mirror_descent import DualMirrorDescentConfig
from fairloop.rerankers.amortised.pid import PIDConfig
from fairloop.rerankers.amortised.state import merge, read_state

RNG = np.random.default_rng(0)
SHARE = 0.9  # of the long tail; top-k alone gives it about 0.75

CONFIGS = (
    FairCoConfig(merit={"long_tail": SHARE}),
    FairCoConfig(),
    PIDConfig(targets={"long_tail": SHARE}),
    DualMirrorDescentConfig(floors={"long_tail": SHARE}, horizon=2000),
    DualMirrorDescentConfig(
        floors={"long_tail": SHARE}, caps={"head": 0.3}, mirror="entropy", horizon=2000
    ),
)
NAMES = ("fairco", "fairco by relevance", "pid", "mirror descent", "mirror descent, entropy")
HOLD_A_TARGET = tuple(c for c in CONFIGS if c != FairCoConfig())


@pytest.fixture(params=CONFIGS, ids=NAMES)
def settings(request):
    return request.param


@pytest.fixture
def serve(make_pools):
    """Shows slates of made-up users and returns the state afterwards."""

    def run(reranker, n_users: int, seed: int):
        reranker.rerank(make_pools(n_users, 40, seed=seed), 8, RNG)
        return reranker.controller.state()

    return run


@pytest.fixture
def forked(settings, knowledge, serve):
    """A base state, and those of three workers that went on from it."""
    base = serve(settings.make(knowledge), 50, 1)
    workers = []
    for seed in (2, 3, 4):
        worker = settings.make(knowledge)
        worker.controller.restore(base.model_dump_json())
        workers.append(serve(worker, 20 * seed, seed))
    return base, workers


def close(one, two) -> None:
    for name in type(one).model_fields:
        mine, theirs = getattr(one, name), getattr(two, name)
        if isinstance(mine, tuple) and isinstance(mine[0], float):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12, err_msg=name)
        else:
            assert mine == theirs, name


def test_serving_goes_on_from_a_saved_state_as_if_never_stopped(settings, knowledge, make_pools):
    first, second = make_pools(60, 40, seed=1), make_pools(60, 40, seed=2)
    through = settings.make(knowledge)
    through.rerank(first, 8, RNG)
    saved = through.controller.to_json()
    expected = through.rerank(second, 8, RNG)
    resumed = settings.make(knowledge)
    assert resumed.controller.restore(saved) is resumed.controller
    assert resumed.controller.to_json() == saved
    np.testing.assert_array_equal(resumed.rerank(second, 8, RNG).columns, expected.columns)
    assert resumed.controller.to_json() == through.controller.to_json()
    anew = settings.make(knowledge).rerank(second, 8, RNG)
    assert (anew.columns != expected.columns).any()  # the state does matter


def test_a_merged_state_holds_the_sum_of_what_was_seen(forked) -> None:
    base, workers = forked
    merged = merge(workers, base)
    assert merged.n_slates == 50 + 40 + 60 + 80
    grown = [np.array(w.exposure) - base.exposure for w in workers]
    np.testing.assert_allclose(merged.exposure, base.exposure + np.sum(grown, axis=0), rtol=1e-12)
    assert sum(merged.exposure) == pytest.approx(merged.n_slates)


def test_the_order_of_the_workers_does_not_matter_to_the_last_bit(forked) -> None:
    base, workers = forked
    merged = merge(workers, base)
    for order in permutations(workers):
        assert merge(order, base) == merged


def test_merging_step_by_step_is_merging_at_once(forked) -> None:
    base, (one, two, three) = forked
    at_once = merge([one, two, three], base)
    close(merge([merge([one, two], base), three], base), at_once)
    close(merge([one, merge([two, three], base)], base), at_once)


def test_the_base_is_neutral_and_one_worker_gives_its_own_state_back(forked) -> None:
    base, (one, two, _) = forked
    assert merge([one], base) == one
    assert merge([one, base], base) == one
    assert merge([base, one, base, two], base) == merge([one, two], base)
    assert merge([base], base) == merge([], base) == base


def test_workers_that_started_anew_need_no_base(settings, knowledge, serve) -> None:
    one, two = (serve(settings.make(knowledge), n, n) for n in (30, 40))
    merged = merge([one, two])
    assert merged == merge([one, two], settings.make(knowledge).controller.state())
    assert merged.n_slates == 70
    np.testing.assert_allclose(merged.exposure, np.add(one.exposure, two.exposure))
    assert merge([one]) == one


def test_a_merged_state_is_served_from(forked, settings, knowledge, make_pools) -> None:
    base, workers = forked
    merged = merge(workers, base)
    reranker = settings.make(knowledge)
    reranker.controller.restore(merged.model_dump_json())
    assert reranker.controller.state() == merged
    assert reranker.controller.n_slates == merged.n_slates
    np.testing.assert_allclose(
        reranker.controller.shares, np.array(merged.exposure) / sum(merged.exposure)
    )


def rounds(config, knowledge, make_pools, n_workers: int, size: int, n_rounds: int):
    """Long-tail share of each round in which every worker serves ``size`` users, then merges."""
    fleet = [config.make(knowledge) for _ in range(n_workers)]
    base, shares = None, []
    for turn in range(n_rounds):
        for i, worker in enumerate(fleet):
            if base is not None:
                worker.controller.restore(base.model_dump_json())
            worker.rerank(make_pools(size, 40, seed=1000 * turn + i), 8, RNG)
        before = np.zeros(2) if base is None else np.array(base.exposure)
        base = merge([worker.controller.state() for worker in fleet], base)
        grown = np.array(base.exposure) - before
        shares.append(grown[1] / grown.sum())
    return np.array(shares)


@pytest.mark.parametrize("config", HOLD_A_TARGET, ids=lambda c: c.algorithm)
def test_a_fleet_that_merges_every_100_slates_does_as_well_as_one(config, knowledge, make_pools):
    alone = rounds(config, knowledge, make_pools, 1, 400, 16)[6:]
    fleet = rounds(config.changed(workers=4), knowledge, make_pools, 4, 100, 16)[6:]
    assert abs(alone.mean() - SHARE) < 0.005
    assert abs(fleet.mean() - SHARE) < 0.005
    assert fleet.std() < 0.01
    # Workers that each pay the whole of an inherited debt swing about the target.
    each_for_itself = rounds(config, knowledge, make_pools, 4, 100, 16)[6:]
    assert each_for_itself.std() > 3 * fleet.std()


def test_a_state_of_other_groups_targets_or_algorithms_is_refused(knowledge, serve) -> None:
    fairco = FairCoConfig(merit={"long_tail": 0.9}).make(knowledge)
    text = fairco.controller.to_json()
    others = {
        "merit": FairCoConfig(merit={"long_tail": 0.8}),
        "attribute": FairCoConfig(attribute="era", merit={"new": 0.9}),
    }
    for what, config in others.items():
        with pytest.raises(InvalidValue, match=f"state for {what}") as caught:
            config.make(knowledge).controller.restore(text)
        assert caught.value.field == "state" and caught.value.mend
    pid = PIDConfig(targets={"long_tail": 0.9}).make(knowledge).controller
    with pytest.raises(InvalidValue, match="state for targets"):
        pid.restore(PIDConfig().make(knowledge).controller.to_json())
    with pytest.raises(InvalidValue, match="not a state of this re-ranker"):
        pid.restore(text)
    descent = DualMirrorDescentConfig().make(knowledge).controller
    with pytest.raises(InvalidValue, match="state for mirror"):
        descent.restore(
            DualMirrorDescentConfig(mirror="entropy").make(knowledge).controller.to_json()
        )
    with pytest.raises(InvalidValue, match="state for caps"):
        descent.restore(
            DualMirrorDescentConfig(caps={"head": 0.5}).make(knowledge).controller.to_json()
        )
    with pytest.raises(InvalidValue, match="state for algorithm"):
        merge([pid.state(), fairco.controller.state()])


def test_what_is_no_state_is_refused(knowledge) -> None:
    controller = FairCoConfig().make(knowledge).controller
    values = controller.state().model_dump()
    bad = [
        "{",
        "[]",
        FairCoState(**values).model_dump_json().replace('"n_slates":0', '"n_slates":-1'),
        FairCoState(**values).model_dump_json().replace('"n_slates"', '"slates"'),
        FairCoState(**values).model_dump_json().replace("[0.0,0.0]", "[0.0]"),
        FairCoState(**values).model_dump_json().replace("[0.0,0.0]", "[0.0,NaN]"),
    ]
    for text in bad:
        with pytest.raises(InvalidValue, match="not a state of this re-ranker") as caught:
            read_state(FairCoState, text)
        assert caught.value.field == "state"
    before = controller.to_json()
    with pytest.raises(InvalidValue):
        controller.restore(bad[0])
    assert controller.to_json() == before


def test_what_cannot_be_merged_is_refused(forked) -> None:
    base, (one, _, _) = forked
    with pytest.raises(InvalidValue, match="no states to merge"):
        merge([])
    with pytest.raises(InvalidValue, match="a worker holds") as caught:
        merge([base], one)
    assert caught.value.field == "base"


def test_impossible_exposure_is_refused(settings, knowledge) -> None:
    controller = settings.make(knowledge).controller
    before = controller.to_json()
    for exposure in (np.array([0.5, -0.5]), np.array([np.nan, 1.0]), np.ones(3)):
        with pytest.raises(InvalidValue) as caught:
            controller.update(exposure, 1, np.ones(2))
        assert caught.value.field == "exposure"
    assert controller.to_json() == before
