"""The small made-up world that an environment stands in when none is given."""

from functools import lru_cache

from ...candidates.synthetic import synthetic_candidates
from ..config import WorldConfig
from ..fit import fit_world
from ..world import World


@lru_cache(maxsize=1)
def default_world() -> World:
    """Made-up users and items, so that ``gymnasium.make(id)`` works without an argument.

    64 users with pools of the 20 best of 100 items by numpy's EASE, items in 5 topics, slates of
    5, 30 days, all dynamics at their defaults. Nothing in it was fit to real people: it is for
    trying code out, and no figure measured in it says anything of a platform. For figures, make a
    world with ``fit_world`` and pass it as ``world=``.
    """
    candidates = synthetic_candidates(n_users=64, n_items=100, n_topics=5, seed=0, top_n=20)
    return fit_world(candidates, WorldConfig(slate_size=5), seed=0)
