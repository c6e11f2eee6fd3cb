import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fairloop.candidates.sealed_folder import read_sealed
from fairloop.candidates.synthetic import synthetic_dataset
from fairloop.errors import InvalidValue
from fairloop.simulators.calibration import samples
from fairloop.simulators.calibration.calibrate import calibrate_log
from fairloop.simulators.calibration.log_figures import concentration, popularity_deciles
from fairloop.simulators.calibration.plot import draw_report
from fairloop.simulators.calibration.ratings import calibrate_ratings
from fairloop.simulators.calibration.report import CalibrationReport
from fairloop.simulators.calibration.samples import (
    Sample,
    compare,
    kolmogorov_smirnov,
    mean_difference,
    relative_difference,
    total_variation_of_ranks,
    wasserstein,
)
from fairloop.simulators.calibration.save import KIND, markdown, save_report
from fairloop.simulators.config import ChoiceConfig, WorldConfig
from scipy.stats import ks_2samp


def values(*numbers: float) -> Sample:
    return Sample.of_values(np.array(numbers), np.arange(len(numbers)))


def groups(pairs: list[tuple[int, float]], n: int = 3) -> Sample:
    of, value = (np.array(column) for column in zip(*pairs, strict=True))
    return Sample(value.astype(float), np.arange(len(pairs)), of, n)


@pytest.fixture(scope="module")
def static_report(static_log, known_world) -> CalibrationReport:
    topics = known_world(WorldConfig.static(), 1, 80).topics.astype(float)
    return calibrate_log(static_log, "static", topics, randomised=True, seed=4)[1]


@pytest.fixture(scope="module")
def ratings_report() -> CalibrationReport:
    return calibrate_ratings(synthetic_dataset(200, 120, n_topics=5, seed=3), seed=1)


def test_distances_are_those_of_their_definitions() -> None:
    assert wasserstein(values(0, 1), values(1, 3)) == pytest.approx((1 + 2) / 2)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 200).astype(float), rng.normal(2, 1, 100).round(1)
    assert kolmogorov_smirnov(values(*a), values(*b)) == pytest.approx(ks_2samp(a, b).statistic)
    one = groups([(0, 1.0), (0, 0.0), (1, 1.0), (2, 1.0)])
    other = groups([(0, 1.0), (1, 0.0)])  # nothing in group 2, which does not count
    assert mean_difference(one, other) == pytest.approx((0.5 * 3 + 1.0 * 2) / 5)
    assert relative_difference(one, other) == pytest.approx((0.5 * 3 + 1.0 * 2) / 5 / 0.625)
    ranks = groups([(0, 1), (0, 1), (1, 1), (2, 1)]), groups([(2, 1), (1, 1)])
    assert total_variation_of_ranks(*ranks) == pytest.approx((0 + 1 / 4 + 1 / 4) / 2)


def test_a_shift_is_missed_by_and_by_and_the_floor_is_of_the_real_data() -> None:
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(100), 10)

    def sample(shift: float) -> Sample:
        return Sample.of_values(rng.normal(shift, 1.0, 1_000), cluster)

    real = sample(0.0)
    gaps = {
        shift: compare(
            real, [sample(shift) for _ in range(3)], [sample(shift) for _ in range(19)],
            wasserstein, 100,
        )
        for shift in (0.0, 0.3)
    }  # fmt: skip
    assert not gaps[0.0].misses and gaps[0.3].misses and gaps[0.3].stands_out
    assert gaps[0.0].floor == gaps[0.3].floor
    assert gaps[0.3].distance == pytest.approx(0.3, abs=0.1)
    other = [sample(0.0).within(np.arange(100) < 50) for _ in range(40)]
    halves = [wasserstein(a, b) for a, b in zip(other[::2], other[1::2], strict=True)]
    assert gaps[0.0].floor == pytest.approx(np.mean(halves), rel=0.25)


def test_the_concentration_of_topics() -> None:
    topics = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    user, item = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([0, 0, 0, 0, 1, 2, 0])
    users, index = concentration(user, item, topics, 4)
    assert users.tolist() == [0, 1]
    assert index.tolist() == [1.0, 0.5]


def test_deciles_hold_equally_many_items(static_log) -> None:
    decile = popularity_deciles(static_log)
    assert np.bincount(decile).tolist() == [8] * 10
    clicks = np.bincount(static_log.item, static_log.clicked)
    assert clicks[decile == 9].min() >= clicks[decile == 8].max()


def test_a_right_model_is_not_said_to_miss(static_report) -> None:
    assert {c.name for c in static_report.compared} >= {
        "ctr_by_position", "ctr_by_item_decile", "popularity_curve", "clicks_per_slate",
        "clicks_per_user", "genre_concentration", "session_length", "return_time", "satisfaction",
    }  # fmt: skip
    assert static_report.misses == ()
    assert any("agree" in note for note in static_report.position_notes)


@pytest.mark.parametrize("model", ["cascade", pytest.param("logit", marks=pytest.mark.slow)])
def test_another_choice_model_is_seen_and_said(known_world, engine_log, model: str) -> None:
    config = WorldConfig.static()
    choice = ChoiceConfig(model=model, no_click=0.0)
    world = known_world(config.model_copy(update={"choice": choice}), 250, 80)
    _, report = calibrate_log(engine_log(world), model)
    missed = {c.name for c in report.misses}
    assert "clicks_per_slate" in missed
    if model == "cascade":
        assert "ctr_by_position" in missed
    assert "misses" in report.verdict and "Clicks per slate" in report.verdict


def test_users_who_differ_are_missed(static_log) -> None:
    """Half of the users never click: nothing in the fit can say so."""
    lazy = replace(static_log, clicked=static_log.clicked & (static_log.user % 2 == 0))
    _, report = calibrate_log(lazy, "lazy")
    assert "clicks_per_user" in {c.name for c in report.misses}


def test_ratings_are_compared_and_clicks_are_left_alone(ratings_report) -> None:
    names = {c.name for c in ratings_report.compared}
    assert names >= {"rating_distribution", "rating_by_item_decile", "popularity_curve"}
    rows = {f.parameter: f for f in ratings_report.findings}
    residual = rows["ratings.residual"]
    assert residual.identified and residual.low < residual.value < residual.high
    assert "no impressions" in rows["choice.position_bias"].note
    assert ratings_report.world == WorldConfig()
    assert 0.15 < ratings_report.held_out / ratings_report.rows < 0.25


def test_ratings_that_do_not_vary_are_refused() -> None:
    dataset = synthetic_dataset(60, 40, seed=1)
    with pytest.raises(InvalidValue, match="alike"):
        calibrate_ratings(replace(dataset, rating=np.ones(len(dataset))))


def test_the_folder_holds_all_that_was_found(tmp_path: Path, static_report) -> None:
    short = static_report.model_copy(update={"compared": static_report.compared[:4]})
    report = save_report(short, tmp_path / "out")
    read_sealed(tmp_path / "out", KIND, "")
    text = (tmp_path / "out" / "calibration.md").read_text()
    for finding in report.findings:
        assert f"`{finding.parameter}`" in text
    for compared in report.compared:
        assert f"| {compared.title} |" in text
    assert report.verdict in text and "Not identified: the default stands" in text
    plain = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert CalibrationReport.model_validate(plain) == report
    world = WorldConfig.model_validate_json((tmp_path / "out" / "world.json").read_text())
    assert world == report.world
    for name in report.files:
        assert Path(name).stat().st_size > 0
    assert (tmp_path / "out" / "calibration.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_report_and_picture(
    static_log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SPLITS", 10)  # quicker; luck is what matters here
    few = static_log.take(static_log.user < 25)
    once, again = (calibrate_log(few, "few", seed=4)[1] for _ in range(2))
    assert once == again
    assert once.compared[0] != calibrate_log(few, "few", seed=5)[1].compared[0]
    short = once.model_copy(update={"compared": once.compared[:1], "position": ()})
    assert draw_report(short) == draw_report(short)


def test_defaults_and_fits_stand_in_their_own_tables(static_report) -> None:
    text = markdown(static_report)
    fitted, defaults = text.split("## Not identified")
    assert "`choice.position_bias`" in fitted.split("## Identified")[1]
    assert "`tastes.hidden_share`" in defaults
    assert "one rating per item cannot split them" in defaults
