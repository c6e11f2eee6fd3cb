"""What a market is made of, checked: who owns which item, and who is proposed what."""

import numpy as np

from ...arrays import MISSING, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..world import Truth, World


def provider_codes(world: Truth, providers: str | IntArray) -> IntArray:
    """The provider of each item, from 0, ``MISSING`` where there is none, shape ``(I,)``.

    Raises:
        InvalidValue: A name without a catalogue, another shape or kind, or no provider at all.
    """
    if isinstance(providers, str):
        if not isinstance(world, World):
            raise InvalidValue(
                f"this world has no catalogue to look {providers!r} up in",
                field="providers",
                mend="Pass the provider of each item as an array.",
            )
        providers = world.catalogue.group(providers).codes
    codes, n_items = np.asarray(providers), len(world.topics)
    if codes.shape != (n_items,) or codes.dtype.kind not in "iu":
        raise InvalidValue(
            f"providers of shape {codes.shape} for {n_items} items",
            field="providers",
            mend="One whole number per item.",
        )
    if codes.min(initial=0) < MISSING or codes.max(initial=MISSING) < 0:
        raise InvalidValue(
            "no item has a provider, or a code is below −1",
            field="providers",
            mend="Number the providers from 0; −1 marks an item without one.",
        )
    return codes.astype(np.int64)


def matching_pools(world: Truth, pools: CandidatePools | None) -> CandidatePools:
    """The given pools, or the world's own.

    Raises:
        InvalidValue: There are none, or they are not those of the world's users and columns.
    """
    if isinstance(world, World):
        if pools is not None and not np.array_equal(pools.items, world.pools.items):
            raise InvalidValue(
                "the pools hold other candidates than the world",
                field="pools",
                mend="Use world.on(pools), which gives the world those pools.",
            )
        return world.pools if pools is None else pools
    if pools is None or not np.array_equal(pools.users, world.users):
        raise InvalidValue(
            "a world of factors has no base scores of its own, and needs a row for each user",
            field="pools",
            mend="Pass CandidatePools of the world's users.",
        )
    return pools
