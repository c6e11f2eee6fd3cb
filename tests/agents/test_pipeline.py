"""The main flow on a small synthetic data set, and what it promises."""

from dataclasses import replace

import numpy as np
import pytest
from fairloop.agents import baselines, jobs, response, train
from fairloop.agents.baselines import Entrant, Member
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.config import EvaluationConfig, TrainConfig
from fairloop.agents.evaluate import evaluate
from fairloop.agents.families import HISTORY_AWARE, REWARD_AWARE, TopK
from fairloop.agents.gate import GateConfig
from fairloop.agents.jobs import LearnJob
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.outcomes import Arena, run
from fairloop.agents.pipeline import PUBLISHED, Seeds, split_arenas, train_policy
from fairloop.agents.references import BAYES, LIMITED, MYOPIC, PLANNING
from fairloop.agents.robustness.randomise import RandomiseConfig, WorldRanges
from fairloop.agents.search import SearchConfig
from fairloop.agents.split import SplitConfig, split_users
from fairloop.agents.storage import load_policy
from fairloop.agents.targets import default_constraints
from fairloop.errors import InvalidValue
from fairloop.metrics.diversity import intra_list_jaccard
from fairloop.metrics.exposure import exposure_share
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from pydantic import ValidationError

TINY = TrainConfig(
    seed=7,
    training_seeds=2,
    world=WorldConfig(slate_size=5),
    search=SearchConfig(steps=1_000, users=24, population=6),
    ppo=PPOConfig(
        total_steps=2_048, critic_steps=1_024, n_envs=32, rollout_steps=16, batch_size=256
    ),
    calibration=CalibrationConfig(rounds=3, seeds=1),
    evaluation=EvaluationConfig(n_bootstrap=100),
    gate=GateConfig(min_users=20),
)


@pytest.fixture(scope="module")
def trained(candidates):
    stages: list[tuple[str, int, int]] = []
    result = train_policy(candidates, TINY, lambda *at: stages.append(at), "v1")
    return result, stages


def test_everything_is_compared_and_judged(trained):
    result, stages = trained
    of_kind: dict[str, list[str]] = {"baseline": [], "start": [], "learned": [], "reference": []}
    for figures in result.report.policies:
        of_kind[figures.kind].append(figures.name)
    assert set(GateConfig().required_baselines) | {"random", "dpp"} == set(of_kind["baseline"])
    assert sorted(of_kind["learned"])[0] == PUBLISHED and len(of_kind["learned"]) == 2
    assert of_kind["start"] == [HISTORY_AWARE, REWARD_AWARE]
    assert result.report.best_baseline not in of_kind["start"]
    assert of_kind["reference"] == [MYOPIC, PLANNING, LIMITED, BAYES]
    assert result.report.learned.kind == "learned"
    assert len(set(result.report.seeds)) == 5
    assert {stage for stage, _, _ in stages} == {"tune baselines", "learn", "evaluate"}
    assert all(0 <= done <= total for _, done, total in stages)
    assert all(len(seed.curve) == 4 for seed in result.training)


def test_each_seed_learns_how_users_answer_and_searches_for_itself(trained):
    one, other = trained[0].training
    assert one.policy.response is not None and other.policy.response is not None
    assert not np.array_equal(one.policy.response.vector(), other.policy.response.vector())
    assert one.tuned.halfway.parameters != other.tuned.halfway.parameters


def test_the_published_seed_is_best_on_validation(trained):
    result, _ = trained
    ranks = [seed.rank for seed in result.training]
    best = result.training[int(np.argmax(ranks))]
    assert best.policy is result.policy


@pytest.mark.parametrize("harm", [False, True])
def test_a_learned_step_that_does_harm_is_not_kept(candidates, monkeypatch, harm):
    """The network either pushes every weight to where engagement suffers, or does nothing."""
    easy = ExposureFloor(attribute="popularity", group="long_tail", share=0.01)
    limits = Constraints(exposure=(easy,), min_diversity=0.01)
    config = TINY.model_copy(update={"constraints": limits})
    seeds = Seeds.of(7)
    arenas = split_arenas(fit_world(candidates, config.world, 1), candidates, config, seeds.split)
    learn, tune = train.learn, jobs.tune

    def tuned_half_way(*args):
        found = tune(*args)
        return replace(found, member=found.halfway)  # so that only what was learned can differ

    def sabotaged(*args, **kwargs):
        learned = learn(*args, **kwargs)
        policy = replace(learned.policy.with_gain(0.0), reach=learned.policy.reach * 40)
        first = np.arange(policy.n_actions) == 0
        head = replace(policy.head, bias=np.where(first, -float(harm), 0.0))
        return replace(learned, policy=replace(policy, head=head))

    monkeypatch.setattr(train, "learn", sabotaged)
    monkeypatch.setattr(jobs, "tune", tuned_half_way)
    job = LearnJob(arenas.train, arenas.validation, 24, 3, 4, seeds.units, config)
    made = job(lambda done, total: None)
    assert made.gain == (0.0 if harm else 1.0)
    assert made.parameters["gain"] == made.gain
    assert not made.policy.actions(np.ones((1, len(made.policy.observation_names)))).any()


def test_what_is_stored_is_what_was_trained(trained, tmp_path):
    result, _ = trained
    stored = load_policy(result.save(tmp_path))
    seen = np.random.default_rng(0).normal(size=(4, len(result.policy.observation_names)))
    assert np.array_equal(stored.policy.weights(seen), result.policy.weights(seen))
    assert stored.manifest.lineage["candidates"] == "v1"
    assert stored.manifest.verdict == result.verdict


def test_same_seed_same_policy_with_any_number_of_workers(trained, candidates, tmp_path):
    result, _ = trained
    parallel = train_policy(
        candidates, TINY.model_copy(update={"workers": 2}), candidates_version="v1"
    )
    assert parallel.report == result.report
    assert parallel.save(tmp_path).name == result.save(tmp_path).name


def test_the_evaluation_agrees_with_a_plain_count(arena, candidates):
    """Figures against means over users; the ratio of a policy to itself is exactly 1."""
    nothing = np.zeros(0)
    make = Member(TopK(), nothing, np.zeros(2))
    entrants = [Entrant(name, "baseline", make, {}, 0) for name in ("a", "b")]
    loose = Arena.of(arena.world, arena.constraints.model_copy(update={"min_diversity": 0.0}))
    report = evaluate(loose, entrants, "b", candidates, 3, EvaluationConfig(n_bootstrap=200))
    a, b = report.policies
    assert a.engagement == b.engagement and a.ndcg == b.ndcg
    assert a.ndcg is not None and a.ndcg.low <= a.ndcg.value <= a.ndcg.high
    exposure = a.constraints[0]
    assert exposure.met == (exposure.violation_ucb <= 0)
    assert exposure.measured.low <= exposure.measured.value <= exposure.measured.high
    shown = exposure.target - exposure.measured.value
    assert exposure.violation_ucb > shown
    if report.best_baseline is not None:
        assert (b.engagement_ratio.value, b.engagement_ratio.low) == (1.0, 1.0)


def test_default_floors_lie_between_top_k_and_the_pools(candidates):
    k = 5
    found = default_constraints(candidates, k=k)
    pools = candidates.pools()
    codes = candidates.catalogue.group("popularity").codes
    tail = candidates.catalogue.group("popularity").names.index("long_tail")
    top = pools.items[:, :k]
    share = exposure_share(top, codes, 2)[tail]
    pool = (codes[pools.items[pools.valid]] == tail).mean()
    assert np.isclose(found.exposure[0].share, share + (pool - share) / 2, atol=1e-4)
    ild = np.nanmean(intra_list_jaccard(top, candidates.catalogue.topics))
    assert found.min_diversity is not None
    assert np.isclose(found.min_diversity, min(1.0, 1.1 * ild), atol=1e-4)


def test_split_is_disjoint_complete_and_repeatable():
    split = split_users(50, SplitConfig(train=0.4, validation=0.2), 1)
    again = split_users(50, SplitConfig(train=0.4, validation=0.2), 1)
    parts = (split.train, split.validation, split.test)
    assert [len(p) for p in parts] == [20, 10, 20]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(50))
    assert np.array_equal(split.test, again.test)
    assert not np.array_equal(split.test, split_users(50, SplitConfig(), 2).test)


def test_too_few_users_and_shares_above_one_are_refused():
    with pytest.raises(InvalidValue):
        split_users(4, SplitConfig(), 0)
    with pytest.raises(ValidationError):
        SplitConfig(train=0.7, validation=0.3)
    with pytest.raises(ValidationError):
        PPOConfig(n_envs=10, rollout_steps=10, batch_size=64)


@pytest.fixture(scope="module")
def three_groups(candidates):
    seeds = Seeds.of(7)
    world = fit_world(candidates, TINY.world, seeds.world)
    return split_arenas(world, candidates, TINY, seeds.split), seeds


def learned_in(three_groups, randomise):
    arenas, seeds = three_groups
    config = TINY.model_copy(update={"randomise": randomise})
    job = LearnJob(arenas.train, arenas.validation, 24, 3, 4, seeds.units, config)
    return job(lambda done, total: None)


def test_one_drawn_world_that_differs_in_nothing_is_the_fitted_one(three_groups):
    """Bit for bit, through the response model, the search and the network."""
    plain = learned_in(three_groups, None)
    drawn = learned_in(three_groups, RandomiseConfig(worlds=1, ranges=WorldRanges.nothing()))
    seen = np.random.default_rng(0).normal(size=(4, len(plain.policy.observation_names)))
    np.testing.assert_array_equal(plain.policy.weights(seen), drawn.policy.weights(seen))
    assert plain.parameters == drawn.parameters and plain.curve == drawn.curve


def test_learning_in_drawn_worlds_is_repeatable_and_calibrated_in_the_fitted_one(three_groups):
    randomise = RandomiseConfig(worlds=3)
    made, again = (learned_in(three_groups, randomise) for _ in range(2))
    plain = learned_in(three_groups, None)
    assert made.parameters == again.parameters and made.curve == again.curve
    assert made.policy.response is not None and plain.policy.response is not None
    assert not np.array_equal(made.policy.response.vector(), plain.policy.response.vector())
    arenas, _ = three_groups
    luck = np.random.SeedSequence([4, 1]).generate_state(TINY.calibration.choice_seeds)
    there = run(arenas.validation, made.make, [int(seed) for seed in luck])
    assert np.isclose(there.expected_engagement.mean(), made.engagement)


def test_each_part_of_learning_goes_round_the_drawn_worlds(three_groups, monkeypatch):
    """What is simulated, by the world it is simulated in: all of them, none of the fitted one."""
    seen: dict[str, list[int]] = {"answers": [], "trials": []}
    worlds = []
    serve, attempt = response._serve, baselines._try

    def which(arena):
        if all(world is not arena.world for world in worlds):
            worlds.append(arena.world)
        return next(i for i, world in enumerate(worlds) if world is arena.world)

    def serving(arena, *args):
        seen["answers"].append(which(arena))
        return serve(arena, *args)

    def trying(family, points, knobs, arena, *args):
        seen["trials"].append(which(arena))
        return attempt(family, points, knobs, arena, *args)

    monkeypatch.setattr(response, "_serve", serving)
    monkeypatch.setattr(baselines, "_try", trying)
    learned_in(three_groups, RandomiseConfig(worlds=2))
    assert seen["answers"] == [0, 1, 0, 1, 0, 1]
    assert len(worlds) == 2 and set(seen["trials"]) == {0, 1}
    assert all(world is not three_groups[0].train.world for world in worlds)
