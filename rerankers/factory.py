"""From a configuration to the re-ranker it describes."""

from typing import Annotated, assert_never

from pydantic import Field

from ..candidates.catalogue import Catalogue
from .base import Reranker
from .constraints import Constraints
from .exposure import ExposureConfig, ExposureReranker
from .filters import FilteredReranker
from .linear import LinearConfig, LinearReranker, StateLookup
from .mmr import MMRConfig, MMRReranker
from .plackett_luce import PlackettLuceConfig, PlackettLuceReranker
from .topk import TopKConfig, TopKReranker

RerankerConfig = Annotated[
    TopKConfig | MMRConfig | ExposureConfig | LinearConfig | PlackettLuceConfig,
    Field(discriminator="algorithm"),
]
"""Any re-ranker's configuration, told apart by ``algorithm``."""


def make_reranker(
    config: RerankerConfig,
    catalogue: Catalogue,
    constraints: Constraints,
    states: StateLookup | None = None,
) -> Reranker:
    """The re-ranker of a configuration, with the hard filters honoured.

    Args:
        config: Which algorithm, with what settings.
        catalogue: The items.
        constraints: Floors for those that know them, filters for all.
        states: The users' observed state, for re-rankers that use it.

    Raises:
        InvalidValue: A floor, filter or weight names what the catalogue does not have.
    """
    reranker = _bare(config, catalogue, constraints, states)
    allowed = constraints.filters.allowed(catalogue)
    return reranker if allowed.all() else FilteredReranker(reranker, allowed)


def _bare(
    config: RerankerConfig,
    catalogue: Catalogue,
    constraints: Constraints,
    states: StateLookup | None,
) -> Reranker:
    match config:
        case TopKConfig():
            return TopKReranker()
        case MMRConfig():
            return MMRReranker(config, catalogue, constraints)
        case ExposureConfig():
            return ExposureReranker(config, catalogue, constraints)
        case LinearConfig():
            return LinearReranker(config, catalogue, constraints, states)
        case PlackettLuceConfig():
            return PlackettLuceReranker(config)
        case _:
            assert_never(config)
