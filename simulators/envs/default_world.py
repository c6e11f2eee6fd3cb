"""The small made-up world that an environment stands in when none is given."""

from functools import lru_cache

from ...candidates.synthetic import synthetic_candidates
from ..config import ChoiceConfig, FatigueConfig, WorldConfig
from ..fit import fit_world
from ..world import World


@lru_cache(maxsize=1)
def default_world() -> World:
    """Made-up users and items, so that ``gymnasium.make(id)`` works without an argument.

    64 users with pools of the 20 best of 100 items by numpy's EASE, items in 5 topics, slates of
    3, 30 days. Two dynamics differ from their defaults, so that an untuned learner gets somewhere
    within a minute: items differ more in appeal, and tire less when they are met again (songs
    rather than films). Nothing in it was fit to real people: it is for trying code out, and no
    figure measured in it says anything of a platform. For figures, make a world with ``fit_world``
    and pass it as ``world=``.
    """
    candidates = synthetic_candidates(n_users=64, n_items=100, n_topics=5, seed=0, top_n=20)
    config = WorldConfig(
        slate_size=3,
        choice=ChoiceConfig(attraction_spread=2.0),
        fatigue=FatigueConfig(per_showing=0.1, per_click=0.5),
    )
    return fit_world(candidates, config, seed=0)
