"""The same users with what another base model proposes to them.

A policy reads features that exist for any model (a standardised base score, topics, popularity,
groups, the user's log), so it can re-rank the candidates of a model that it never saw: after a
refit, or where the base model is exchanged.
"""

import numpy as np

from ...candidates.candidate_set import CandidateSet
from ...errors import InvalidValue
from ...simulators.fit import fit_world
from ...simulators.world import World
from ..outcomes import Arena


def arena_on(
    candidates: CandidateSet, arena: Arena, world_seed: int, truth: World | None = None
) -> Arena:
    """The users of an arena, as far as they have a full pool, with other candidates.

    Where ``truth`` is given, the users' reactions are those of that world and only the proposals
    change; it must know every proposed item, so fit it on candidates with a large enough top-N.
    Without it a world is fit on the other candidates. For the same seed quality, tastes and hidden
    tastes are the same then; the part of the appeal that follows the base model's score follows the
    *other* model's, and the mean click probability is that of the configuration again.

    Args:
        candidates: Of the other model, on the same data: users and items have the same indices.
        arena: Held-out users and the limits. Targets stay as they are; pools of another model may
            not be able to reach them, which `held_out.why_unreachable` says.
        world_seed: Seed that the arena's world was fit with.
        truth: A world to look reactions up in.

    Raises:
        InvalidValue: The candidates are about other items, fewer than two users have a full pool,
            or ``truth`` does not know a proposed item.
    """
    before, now = arena.world.catalogue, candidates.catalogue
    if not np.array_equal(before.item_ids, now.item_ids):
        raise InvalidValue(
            "the candidates are about other items than the arena",
            field="candidates",
            mend="Fit both models on the same data.",
        )
    pools = candidates.pools()
    rows = np.flatnonzero(np.isin(pools.users, arena.world.users))
    if len(rows) < 2:
        raise InvalidValue(
            f"{len(rows)} of the arena's {len(arena)} users have a full pool",
            field="candidates",
            mend="Make the candidates of the other model with a smaller top-N.",
        )
    if truth is not None:
        return Arena.of(truth.on(pools.take(rows)), arena.constraints, arena.user_groups)
    world = fit_world(candidates, arena.world.config, world_seed)
    return Arena.of(world.take(rows), arena.constraints, arena.user_groups)
