"""A world that is changed in place is the one that a fit would have given."""

import numpy as np
import pytest
from fairloop.agents.robustness.parameters import scaled
from fairloop.agents.robustness.worlds import WORTH_BOUND, under, with_taste_noise
from fairloop.errors import InvalidValue
from fairloop.simulators.config import TasteConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.world import NEVER
from scipy.special import expit, logit

REFITTED = {
    "choice.base_attraction": 0.5,
    "choice.attraction_spread": 1.7,
    "heterogeneity": 1.5,
    "satiation.strength": 2.0,
}


def test_another_configuration_gives_what_a_fit_with_it_gives(world, candidates):
    config = scaled(world.config, REFITTED)
    fitted, changed = fit_world(candidates, config, seed=5), under(world, config)
    assert changed.config == fitted.config
    assert np.allclose(changed.appeal, fitted.appeal, atol=1e-5)
    assert np.array_equal(changed.worth, fitted.worth)
    for trait in ("satiation", "fatigue", "drift", "leaving", "returning"):
        ours, theirs = (getattr(w.sensitivities, trait) for w in (changed, fitted))
        assert np.allclose(ours, theirs, rtol=1e-5)


def test_part_of_the_users_keeps_its_distance_from_the_mean_click_rate(world):
    """Users who click more than others go on doing so when all click half as much."""
    rows = np.argsort(-world.appeal.mean(axis=1))[:20]
    part = world.take(rows)
    half = under(part, scaled(world.config, {"choice.base_attraction": 0.5}))
    before, after = (expit(w.appeal[w.pools.valid]).mean() for w in (part, half))
    assert before > world.config.choice.base_attraction * 1.01
    assert after == pytest.approx(before / 2, rel=1e-4)


def test_the_same_configuration_and_no_noise_change_nothing(world):
    same = under(world, world.config)
    assert same.appeal is world.appeal and same.sensitivities is world.sensitivities
    assert with_taste_noise(world, 0.0, 3) is world


def test_tastes_are_refused(world):
    other = world.config.model_copy(update={"tastes": TasteConfig(appeal_hidden=0.1)})
    with pytest.raises(InvalidValue, match="another fit"):
        under(world, other)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_noise_replaces_a_share_and_keeps_level_and_spread(world, share):
    noisy = with_taste_noise(world, share, 3)
    valid = world.pools.valid
    before, after = world.appeal[valid], noisy.appeal[valid]
    assert expit(after).mean() == pytest.approx(expit(before).mean(), abs=1e-4)
    assert after.std() == pytest.approx(before.std(), rel=0.05)
    kept = np.corrcoef(before, after)[0, 1]
    assert kept == pytest.approx(np.sqrt(1 - share), abs=5 / np.sqrt(len(before)))
    # A taste is the same for clicking and for liking: what was added goes together.
    added_worth = noisy.worth[valid] - np.sqrt(1 - share) * world.worth[valid]
    added_appeal = after - np.sqrt(1 - share) * before
    inside = np.abs(noisy.worth[valid]) < logit(WORTH_BOUND) - 1e-3
    assert np.corrcoef(added_worth[inside], added_appeal[inside])[0, 1] > 0.9


def test_noise_belongs_to_user_and_item(world):
    """A user's tastes do not depend on who else is in the batch, but for level and spread."""
    rows = np.arange(0, 80, 2)
    few, all_of = with_taste_noise(world.take(rows), 1.0, 3), with_taste_noise(world, 1.0, 3)
    pairs = few.appeal, all_of.appeal[rows]
    assert np.corrcoef(pairs[0].ravel(), pairs[1].ravel())[0, 1] > 1 - 1e-6
    other = with_taste_noise(world, 1.0, 4)
    assert abs(np.corrcoef(other.appeal.ravel(), all_of.appeal.ravel())[0, 1]) < 0.1


def test_padding_stays_padding_and_satisfaction_stays_possible(world, candidates):
    allowed = candidates.catalogue.popularity > np.median(candidates.catalogue.popularity)
    ragged = fit_world(candidates, world.config, 5, candidates.pools().keep(allowed))
    assert not ragged.pools.valid.all()
    noisy = with_taste_noise(under(ragged, scaled(ragged.config, REFITTED)), 0.5, 3)
    assert (noisy.appeal[~ragged.pools.valid] == NEVER).all()
    assert (noisy.worth[~ragged.pools.valid] == NEVER).all()
    likely = expit(noisy.worth[ragged.pools.valid])
    assert likely.min() >= 1 - WORTH_BOUND - 1e-6 and likely.max() <= WORTH_BOUND + 1e-6


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(world, share):
    with pytest.raises(InvalidValue, match="taste_noise"):
        with_taste_noise(world, share, 3)
