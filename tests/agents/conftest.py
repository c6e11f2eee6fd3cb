from collections.abc import Callable

import numpy as np
import pytest
from fairloop.agents.outcomes import Arena
from fairloop.agents.policy import Layer, WeightPolicy
from fairloop.agents.report import ConstraintFigure, EvaluationReport, Interval, PolicyFigures
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.features import LOGGED, feature_names, observation_names
from fairloop.rerankers.response import ResponseModel
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.world import World

ReportMaker = Callable[..., EvaluationReport]
BASELINES = ("top-k", "mmr", "exposure", "static-memoryless", "static-state-aware")


@pytest.fixture(scope="session")
def candidates() -> CandidateSet:
    return synthetic_candidates(n_users=80, n_items=120, n_topics=5, seed=3, top_n=40)


@pytest.fixture(scope="session")
def constraints() -> Constraints:
    floor = ExposureFloor(attribute="popularity", group="long_tail", share=0.4)
    return Constraints(exposure=(floor,), min_diversity=0.6)


@pytest.fixture(scope="session")
def world(candidates: CandidateSet) -> World:
    return fit_world(candidates, WorldConfig(slate_size=5), seed=5)


@pytest.fixture(scope="session")
def arena(world: World, constraints: Constraints) -> Arena:
    return Arena.of(world, constraints)


@pytest.fixture
def policy(world: World, constraints: Constraints) -> WeightPolicy:
    """A policy with random layers, so that nothing it does is 0 by chance."""
    rng = np.random.default_rng(0)
    features = feature_names(constraints)
    names = observation_names(world.catalogue.topic_names, constraints)
    n_obs, n_act = len(names), len(features) + 1

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    return WeightPolicy(
        constraints=constraints,
        feature_names=features,
        observation_names=names,
        mean=draw(n_obs),
        scale=np.abs(draw(n_obs)),
        hidden=(Layer(draw(8, n_obs), draw(8)), Layer(draw(4, 8), draw(4))),
        head=Layer(draw(n_act, 4), draw(n_act)),
        centre=np.ones(n_act, np.float32),
        reach=np.full(n_act, 0.5, np.float32),
        offsets=draw(n_act),
        response=ResponseModel.of_vector(draw(2 * len(LOGGED) + 2)),
    )


def figures(
    name: str, ratio: float, low: float, ucb: float = -0.01, kind: str = "baseline"
) -> PolicyFigures:
    def around(value: float, below: float) -> Interval:
        return Interval(value=value, low=below, high=2 * value - below)

    floor = ConstraintFigure(
        name="exposure:popularity=long_tail",
        target=0.4,
        measured=around(0.4 - ucb + 0.005, 0.4 - ucb),
        violation_ucb=ucb,
    )
    return PolicyFigures(
        name=name,
        kind=kind,
        parameters={},
        simulator_steps=10,
        engagement=around(10 * ratio, 9 * ratio),
        engagement_ratio=around(ratio, low),
        slates=around(12.0, 11.0),
        retained=around(0.6, 0.5),
        constraints=(floor,),
        ndcg=None,
    )


@pytest.fixture(scope="session")
def make_report() -> ReportMaker:
    """A report that passes the gate, unless told otherwise."""

    def make(
        ratio: float = 1.05,
        low: float = 1.01,
        ucb: float = -0.01,
        n_users: int = 200,
        seeds: tuple[int, ...] = (1, 2, 3, 4, 5),
        baselines: tuple[str, ...] = BASELINES,
        best: str | None = "static-state-aware",
        simple: float = 0.7,
    ) -> EvaluationReport:
        rows = [
            figures(name, 1.0, 1.0)
            if name == "static-state-aware"
            else figures(name, simple, simple)
            for name in baselines
        ]
        rows.append(figures("learned", ratio, low, ucb, "learned"))
        return EvaluationReport(
            n_users=n_users,
            seeds=seeds,
            slate_size=10,
            confidence=0.95,
            n_bootstrap=100,
            published="learned",
            best_baseline=best,
            policies=tuple(rows),
        )

    return make
