"""Equality with the estimators of the package obp, on its sample of the Open Bandit Dataset.

Rows of the sample are single items at one of three positions. For the estimators of slates, three
rows that follow each other stand for one slate: the clicks and probabilities are the sample's, and
that they were seen together is made up, which an equality of formulas does not mind.
"""

import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from fairloop.agents.ope.config import OPEConfig
from fairloop.agents.ope.evaluate import estimate
from fairloop.agents.ope.logged import LoggedSlates
from fairloop.agents.ope.methods import Method, terms_of, weights_of
from fairloop.agents.ope.propensities import Propensities
from fairloop.agents.ope.reward_model import Guesses, mean_guess
from fairloop.agents.ope.sources import from_impressions, single_items
from fairloop.agents.ope.terms import value_of
from fairloop.metrics.bootstrap import bootstrap_sums
from fairloop.simulators.calibration.open_bandit import read_open_bandit

EXACT = 1e-12
CONFIG = OPEConfig(n_bootstrap=100, clip=2.0, switch_tau=1.5, shrinkage=3.0)


@dataclass(frozen=True)
class Case:
    """The uniformly random log, and a target that shows what Thompson sampling showed."""

    logged: LoggedSlates
    action_dist: np.ndarray
    guesses: np.ndarray
    position: np.ndarray
    own_clicks: float

    @property
    def rows(self) -> np.ndarray:
        return np.arange(len(self.logged))

    @property
    def target(self) -> Propensities:
        return single_items(self.action_dist[self.rows, self.logged.items[:, 0], self.position])

    @property
    def model(self) -> Guesses:
        at = self.guesses[self.rows, :, self.position]
        shown = at[self.rows, self.logged.items[:, 0]]
        law = self.action_dist[self.rows, :, self.position]
        return Guesses(shown, mean_guess(law, at))

    def peer(self) -> dict[str, np.ndarray]:
        """The log as obp takes it."""
        assert self.logged.logging.slate is not None
        return {
            "reward": self.logged.slate_rewards,
            "action": self.logged.items[:, 0].astype(int),
            "pscore": self.logged.logging.slate,
            "action_dist": self.action_dist,
            "position": self.position,
            "estimated_rewards_by_reg_model": self.guesses,
        }


@pytest.fixture(scope="module", params=["all", "men", "women"])
def case(request: pytest.FixtureRequest) -> Case:
    random = read_open_bandit("random", request.param).log
    bandit = read_open_bandit("bts", request.param).log
    logged = from_impressions(random, known=("item",))
    assert logged.positions is not None
    shape = (random.n_items, 3)
    shown, clicks = np.full(shape, 1.0), np.full(shape, 0.05)
    np.add.at(shown, (bandit.item, bandit.position - 1), 1.0)
    np.add.at(clicks, (bandit.item, bandit.position - 1), bandit.clicked)
    law = shown / shown.sum(axis=0)
    n = len(logged)
    return Case(
        logged,
        np.broadcast_to(law, (n, *shape)).copy(),
        np.broadcast_to(clicks / shown, (n, *shape)).copy(),
        (logged.positions[:, 0] - 1).astype(int),
        float(bandit.clicked.mean()),
    )


@pytest.mark.parametrize(
    ("method", "peer", "settings"),
    [
        ("ips", "InverseProbabilityWeighting", {}),
        ("snips", "SelfNormalizedInverseProbabilityWeighting", {}),
        ("dm", "DirectMethod", {}),
        ("dr", "DoublyRobust", {}),
        ("sndr", "SelfNormalizedDoublyRobust", {}),
        ("switch-dr", "SwitchDoublyRobust", {"tau": CONFIG.switch_tau}),
        ("dr-os", "DoublyRobustWithShrinkage", {"lambda_": CONFIG.shrinkage}),
    ],
)
def test_estimators_of_single_items(
    case: Case, obp: SimpleNamespace, method: Method, peer: str, settings: dict[str, float]
) -> None:
    theirs = getattr(obp.whole, peer)(**settings).estimate_policy_value(**case.peer())
    ours = estimate(case.logged, case.target, method=method, guesses=case.model, config=CONFIG)
    assert ours.value == pytest.approx(theirs, rel=EXACT, abs=EXACT)
    assert theirs > 1e-4


def test_methods_differ_on_this_data_so_that_equality_says_something(case: Case) -> None:
    methods: tuple[Method, ...] = (
        *("ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dr-os"),
    )
    found = [
        estimate(case.logged, case.target, method=m, guesses=case.model, config=CONFIG).value
        for m in methods
    ]
    values = np.array(found, dtype=float)
    assert np.abs(np.subtract.outer(values, values))[~np.eye(len(values), dtype=bool)].min() > 1e-9


@pytest.mark.parametrize(
    ("method", "peer", "name"),
    [
        ("ips", "SlateStandardIPS", "pscore"),
        ("iips", "SlateIndependentIPS", "pscore_item_position"),
        ("rips", "SlateRewardInteractionIPS", "pscore_cascade"),
    ],
)
def test_estimators_of_slates(
    case: Case, obp: SimpleNamespace, method: Method, peer: str, name: str
) -> None:
    n = len(case.logged) // 3

    def by_slate(values: np.ndarray) -> np.ndarray:
        return values[: 3 * n].reshape(n, 3)

    def law(item: np.ndarray) -> Propensities:
        prefix = np.cumprod(by_slate(item), axis=1)
        return Propensities(slate=prefix[:, -1], prefix=prefix, item=by_slate(item))

    assert case.logged.logging.slate is not None and case.target.slate is not None
    logging, target = law(case.logged.logging.slate), law(case.target.slate)
    items = (
        by_slate(case.logged.items[:, 0]) + case.logged.items.max() * np.arange(3) + np.arange(3)
    )
    logged = LoggedSlates(np.arange(n), items, by_slate(case.logged.slate_rewards), logging)
    kind = {"ips": "slate", "iips": "item", "rips": "prefix"}[method]

    def as_rows(propensities: Propensities) -> np.ndarray:
        values = getattr(propensities, kind)
        return np.repeat(values, 3) if values.ndim == 1 else values.ravel()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about how obp groups its rows
        theirs = getattr(obp.slates, peer)(len_list=3).estimate_policy_value(
            slate_id=np.repeat(np.arange(n), 3),
            reward=logged.rewards.ravel(),
            position=np.tile(np.arange(3), n),
            **{name: as_rows(logging), f"evaluation_policy_{name}": as_rows(target)},
        )
    ours = estimate(logged, target, method=method, config=CONFIG).value
    assert ours == pytest.approx(theirs, rel=EXACT, abs=EXACT)
    assert theirs > 1e-4


def test_percentiles_are_those_of_obp_up_to_resampling(case: Case, obp: SimpleNamespace) -> None:
    """Without named users each row is resampled by itself, as obp does."""
    peer = obp.whole.InverseProbabilityWeighting()
    given = {k: v for k, v in case.peer().items() if not k.startswith("estimated")}
    theirs = peer.estimate_interval(**given, n_bootstrap_samples=2000, random_state=1)
    low, high = theirs["95.0% CI (lower)"], theirs["95.0% CI (upper)"]
    weights = weights_of("ips", case.logged, case.target)
    terms = terms_of("ips", weights, case.logged, None, CONFIG)
    sums = bootstrap_sums(terms.by_user(case.logged.users), 2000, np.random.default_rng(0))
    ours = np.quantile(value_of(sums), [0.025, 0.975])
    np.testing.assert_allclose(ours, [low, high], atol=0.1 * (high - low))


def test_thompson_sampling_judged_from_the_random_log_earns_what_its_own_log_says(
    case: Case,
) -> None:
    """Some 40 clicks in 10,000 rows: intervals overlap, and the default limits ask for more."""
    found = estimate(case.logged, case.target, method="snips")
    assert found.low is not None and found.high is not None
    error = (case.own_clicks * (1 - case.own_clicks) / 10_000) ** 0.5
    assert found.low < case.own_clicks + 2 * error and case.own_clicks - 2 * error < found.high
    assert found.n == found.n_users == 10_000 and found.ess > 1000
    assert len(found.refused_because) == (found.diagnostics.ess_rewards < 20)
    assert found.diagnostics.ess_rewards < 40
