"""A stored policy evaluated again: the same where nothing changed, honest where something did."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents.baselines import Member
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.config import EvaluationConfig, TrainConfig
from fairloop.agents.families import baseline_families, reward_aware
from fairloop.agents.gate import GateConfig
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.outcomes import run
from fairloop.agents.pipeline import Seeds, split_arenas, train_policy
from fairloop.agents.reevaluation import held_out_arena, reevaluate
from fairloop.agents.search import SearchConfig
from fairloop.agents.storage import load_policy
from fairloop.candidates.interactions import Interactions
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.errors import EmptyData, InvalidValue
from fairloop.rerankers.features import LOGGED, feature_names
from fairloop.rerankers.response import ResponseModel
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world

TINY = TrainConfig(
    seed=7,
    training_seeds=2,
    world=WorldConfig(slate_size=5, horizon_days=8),
    search=SearchConfig(steps=300, users=16, population=4),
    ppo=PPOConfig(total_steps=1_024, critic_steps=512, n_envs=32, rollout_steps=16, batch_size=256),
    calibration=CalibrationConfig(rounds=2, seeds=1, choice_seeds=1),
    evaluation=EvaluationConfig(seeds=2, n_bootstrap=100),
    gate=GateConfig(min_users=20),
)


@pytest.fixture(scope="module")
def small():
    return synthetic_candidates(n_users=60, n_items=80, n_topics=4, seed=3, top_n=20)


@pytest.fixture(scope="module")
def stored(small, tmp_path_factory):
    trained = train_policy(small, TINY, candidates_version="v1")
    return load_policy(trained.save(tmp_path_factory.mktemp("policies")))


def test_on_the_same_candidates_and_luck_every_figure_is_the_stored_one(stored, small):
    """Baselines that were made again of their numbers are the same to the last bit."""
    again = reevaluate(stored, small)
    before = stored.manifest.report
    assert again.report.seeds == before.seeds
    assert again.report.best_baseline == before.best_baseline
    remade = {p.name: p for p in again.report.policies}
    (other_seed,) = again.left_out
    assert other_seed.startswith("learned, seed ")
    assert set(remade) == {p.name for p in before.policies} - {other_seed}
    for figures in before.policies:
        if figures.name != other_seed:
            assert remade[figures.name] == figures


def test_more_seeds_begin_with_the_stored_ones_and_another_root_has_others(stored, small):
    more = reevaluate(stored, small, seeds=3)
    assert more.report.seeds[:2] == stored.manifest.report.seeds and len(more.report.seeds) == 3
    fresh = reevaluate(stored, small, seed=99)
    assert not set(fresh.report.seeds) & set(more.report.seeds)
    assert fresh.seed == 99 and more.seed == Seeds.of(7).evaluation


def test_whoever_was_trained_on_is_left_out_wherever_they_appear(stored, small):
    """By their ids, though the other candidates hold them in another order and some not at all."""
    order = np.random.default_rng(0).permutation(small.n_users)[:50]
    kept = {row: int(place) for place, row in enumerate(order)}

    def moved(rows):
        mask = np.isin(rows.user, order)
        users = np.array([kept[int(u)] for u in rows.user[mask]])
        columns = [getattr(rows, n)[mask] for n in ("item", "rating", "timestamp")]
        return Interactions.build(users, *columns, 50, small.n_items)

    others = replace(
        small,
        user_ids=small.user_ids[order],
        items=small.items[order],
        scores=small.scores[order],
        train=moved(small.train),
        valid=moved(small.valid),
        heldout=moved(small.heldout),
        user_groups={n: replace(g, codes=g.codes[order]) for n, g in small.user_groups.items()},
    )
    own = fit_world(small, TINY.world, Seeds.of(7).world)
    arenas = split_arenas(own, small, TINY, Seeds.of(7).split)
    test = set(small.user_ids[arenas.test.world.users])
    found = held_out_arena(stored.manifest, TINY, small, others)
    ids = set(others.user_ids[found.world.users])
    assert ids == test & set(others.user_ids) and 0 < len(ids) < len(test)


def test_people_of_another_data_set_are_all_new(stored, small):
    others = replace(small, lineage={"dataset": "other"})
    assert len(held_out_arena(stored.manifest, TINY, small, others)) == len(small.pools())


def test_other_topics_are_refused(stored, small):
    others = synthetic_candidates(n_users=60, n_items=80, n_topics=5, seed=3, top_n=20)
    with pytest.raises(InvalidValue, match="topics"):
        reevaluate(stored, small, others)


def test_where_nobody_is_new_there_is_nothing_to_evaluate_on(stored, small):
    own = fit_world(small, TINY.world, Seeds.of(7).world)
    arenas = split_arenas(own, small, TINY, Seeds.of(7).split)
    known = np.concatenate([arenas.train.world.users, arenas.validation.world.users])
    ids = np.resize(small.user_ids[known], small.n_users)
    with pytest.raises(EmptyData, match="0 of 60 users"):
        held_out_arena(stored.manifest, TINY, small, replace(small, user_ids=ids))


def test_what_was_not_tuned_then_is_left_out_and_says_why(stored, small):
    report = stored.manifest.report
    old = [p for p in report.policies if p.name not in ("dpp", "random") and not p.reference]
    odd = old[1].model_copy(update={"parameters": {"trade_off": 0.5}})
    assert odd.name == "mmr"
    gone = old[0].model_copy(update={"name": "gone"})
    policies = (old[0], odd, gone, *old[2:])
    manifest = stored.manifest.model_copy(
        update={"report": report.model_copy(update={"policies": policies})}
    )
    again = reevaluate(replace(stored, manifest=manifest), small, seeds=1)
    names = [p.name for p in again.report.policies]
    assert "random" in names and "oracle" in names
    assert not {"dpp", "mmr", "gone"} & set(names)
    assert "not tuned" in again.left_out["dpp"]
    assert "another version" in again.left_out["mmr"]
    assert "no such" in again.left_out["gone"]


def test_a_report_of_the_references_before_is_evaluated_without_them(stored, small):
    """Their prices had other names, for slates that were filled otherwise."""
    report = stored.manifest.report

    def before(figures):
        numbers = dict(figures.parameters)
        if "held" in numbers:
            numbers["distance"] = numbers.pop("diversity")
        return figures.model_copy(update={"parameters": numbers})

    policies = tuple(before(p) for p in report.policies)
    manifest = stored.manifest.model_copy(
        update={"report": report.model_copy(update={"policies": policies})}
    )
    again = reevaluate(replace(stored, manifest=manifest), small, seeds=1)
    names = [p.name for p in again.report.policies]
    assert "oracle" in names and again.report.gaps_to == ()
    for name in ("oracle-under-limits", "bayes-index"):
        assert name not in names and "another version" in again.left_out[name]


def test_every_family_is_remade_from_its_numbers(arena):
    """Points and knobs away from the start, so that no number is its default."""
    units = np.linspace(0.5, 2.0, len(feature_names(arena.constraints)) + 1)
    rng = np.random.default_rng(1)
    response = ResponseModel.of_vector(rng.normal(0, 0.3, 2 * len(LOGGED) + 2))
    families = [
        *baseline_families(arena.world.catalogue, arena.constraints, units),
        reward_aware(units, arena.constraints, response),
    ]
    for family in families:
        point = family.start + rng.normal(0, 0.5, len(family.start))
        knobs = rng.normal(0, 0.5, len(arena.targets))
        made = run(arena, Member(family, point, knobs), [3])
        numbers = family.parameters(point, knobs)
        again = run(arena, lambda f=family, n=numbers: f.remade(n), [3])
        assert np.array_equal(made.expected_engagement, again.expected_engagement), family.name
        assert np.array_equal(made.measured, again.measured)
