from dataclasses import replace

import numpy as np
import pytest
from fairloop.errors import EmptyData, NotIdentified
from fairloop.simulators.calibration.calibrate import calibrate_log
from fairloop.simulators.calibration.findings import parameters, with_values, within_bounds
from fairloop.simulators.calibration.fit_log import FittedLog, fit_log
from fairloop.simulators.calibration.replay import believed, hold_out, replay
from fairloop.simulators.choice import discount
from fairloop.simulators.config import (
    ChoiceConfig,
    DriftConfig,
    LeavingConfig,
    ReturnConfig,
    SessionConfig,
    WorldConfig,
)
from fairloop.simulators.impressions import ImpressionLog
from fairloop.simulators.population import UserPopulation

# Everything that a log identifies is on, and users do not differ.
SAME = WorldConfig(
    heterogeneity=0.0,
    drift=DriftConfig(enabled=False),
    leaving=LeavingConfig(sensitivity=0.0, base_rate=0.04),
    returning=ReturnConfig(sensitivity=0.0, mean_days=1.6),
    session=SessionConfig(enabled=True, sensitivity=0.0, mean_slates=2.0),
)


@pytest.fixture(scope="module")
def lived(known_world, engine_log) -> tuple[ImpressionLog, FittedLog]:
    world = known_world(SAME, 350, 60)
    log = engine_log(world, repeat_from=25)
    return log, fit_log(log, world.topics.astype(float))


def test_a_world_with_everything_in_it_is_recovered(lived) -> None:
    fitted = lived[1]
    truth = {path: value for path, value, _ in parameters(SAME)}
    bounds = {
        "choice.position_bias": 0.1,
        "choice.attraction_spread": 0.25,
        "satiation.strength": 0.2,
        "fatigue.per_showing": 0.06,
        "fatigue.per_click": 0.5,
        "session.mean_slates": 0.1,
        "leaving.base_rate": 0.01,
        "returning.mean_days": 0.06,
        "satisfaction.noise": 0.12,
    }
    found = {f.parameter: f for f in fitted.findings if f.identified}
    for path, bound in bounds.items():
        assert abs(found[path].value - truth[path]) < bound, path
        if found[path].low is not None:
            assert found[path].low <= found[path].value <= found[path].high
    assert fitted.config.fatigue.per_click == found["fatigue.per_click"].value
    assert fitted.config.slate_size == 10 and fitted.config.session.enabled


def test_what_is_not_identified_keeps_its_default_and_says_where_it_is_from(lived) -> None:
    start = WorldConfig(heterogeneity=0.123)
    anonymous = replace(lived[0], user=None, user_ids=None)
    fitted = fit_log(anonymous, start=start)
    rows = {f.parameter: f for f in fitted.findings}
    assert set(rows) == {path for path, _, _ in parameters(start)}
    for path in ("fatigue.per_click", "session.mean_slates", "leaving.base_rate"):
        assert not rows[path].identified and "Log" in rows[path].note
        assert rows[path].value == {p: v for p, v, _ in parameters(start)}[path]
        assert "default" in rows[path].source
    assert rows["heterogeneity"].value == 0.123
    assert rows["choice.position_bias"].identified


def test_confounded_positions_leave_the_default_and_the_reason() -> None:
    n = 4_000
    item = np.arange(n) % 4
    clicked = np.random.default_rng(0).random(n) < 0.3
    log = ImpressionLog(np.array(list("abcd")), item, item + 1, clicked, np.arange(n) // 4)
    fitted = fit_log(log)
    assert fitted.position is None and "confounded" in fitted.position_refusal
    assert fitted.config.choice.position_bias == WorldConfig().choice.position_bias
    _, report = calibrate_log(log, "confounded")
    assert "not identified" in report.position_notes[0] and report.position == ()


def test_the_fitted_world_clicks_as_the_replay_does(lived) -> None:
    """The engine, given the fit, has the probabilities that the replay draws from."""
    log, fitted = lived
    base = fitted.base
    sure = replace(base, item_error=np.zeros(60), item_rate=1 / (1 + np.exp(-base.item_mean)))
    model = replace(fitted, base=sure)
    world = model.world(30, log.n_items)
    columns = np.argsort(np.random.default_rng(0).random((30, 60)), axis=1)[:, :10]
    engine = UserPopulation(world).click_probabilities(columns)
    odds = model.item_log_odds(60)[columns]
    looks = discount(10, fitted.config.choice.position_bias)
    assert np.allclose(engine, looks / (1 + np.exp(-odds)), atol=1e-5)


def test_a_replay_shows_the_same_slates_and_is_repeatable(lived) -> None:
    log, fitted = lived
    runs = [replay(fitted, log, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0].clicked, runs[1].clicked)
    assert not np.array_equal(runs[0].clicked, runs[2].clicked)
    for run in runs:
        assert np.array_equal(run.item, log.item) and np.array_equal(run.position, log.position)
        assert abs(run.clicked.mean() / log.clicked.mean() - 1) < 0.1
        assert run.satisfaction is not None
        assert np.array_equal(np.isfinite(run.satisfaction), run.clicked)


def test_repetition_costs_clicks_in_the_replay(lived) -> None:
    log, fitted = lived
    fresh = replace(
        fitted,
        findings=tuple(
            f.model_copy(update={"identified": False})
            if f.parameter.startswith(("fatigue", "satiation"))
            else f
            for f in fitted.findings
        ),
    )
    rng = np.random.default_rng
    assert (
        replay(fresh, log, rng(0)).clicked.mean() > 1.5 * replay(fitted, log, rng(0)).clicked.mean()
    )


def test_beliefs_are_spread_around_the_fit(lived) -> None:
    fitted = lived[1]
    drawn = [believed(fitted, np.random.default_rng(seed)) for seed in range(200)]
    values = np.array([d.config.choice.position_bias for d in drawn])
    finding = next(f for f in fitted.findings if f.parameter == "choice.position_bias")
    assert values.mean() == pytest.approx(finding.value, abs=4 * values.std() / np.sqrt(200))
    assert 4 * values.std() == pytest.approx(finding.high - finding.low, rel=0.2)
    items = np.stack([d.base.item_mean for d in drawn]).std(axis=0)
    assert np.allclose(items, fitted.base.item_error, rtol=0.3)


def test_held_out_clusters_are_whole(static_log) -> None:
    held, n = hold_out(static_log, static_log.user, 0.3, 10**9, seed=1)
    assert not set(static_log.user[held]) & set(static_log.user[~held])
    assert n == len(set(static_log.user[held]))
    assert abs(held.mean() - 0.3) < 0.02
    assert hold_out(static_log, static_log.user, 0.3, 1_000, seed=1)[0].sum() <= 1_000
    with pytest.raises(NotIdentified):
        hold_out(static_log, np.zeros(len(static_log), int), 0.3, 100, seed=0)


def test_parameters_outside_their_bounds_come_to_the_nearest() -> None:
    assert within_bounds("choice.position_bias", -0.4) == 0.0
    assert within_bounds("returning.mean_days", 1.0) == 1.001
    config = with_values(WorldConfig(), {"choice.position_bias": 0.3, "session.enabled": True})
    assert config.choice == ChoiceConfig(position_bias=0.3) and config.session.enabled


def test_a_log_with_hardly_a_click_is_refused(static_log) -> None:
    few = replace(static_log, clicked=np.arange(len(static_log)) < 4)
    with pytest.raises(EmptyData, match="4 clicks"):
        calibrate_log(few, "few")
