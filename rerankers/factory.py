"""From a configuration to the re-ranker it describes."""

from typing import Annotated

from pydantic import Field

from .amortised.epsilon_greedy import EpsilonGreedyConfig
from .amortised.fairco import FairCoConfig
from .amortised.mirror_descent import DualMirrorDescentConfig
from .amortised.pid import PIDConfig
from .amortised.thompson import ThompsonConfig
from .base import Reranker
from .diversity.calibrated import CalibratedConfig
from .diversity.dpp import DPPConfig
from .diversity.mmr import MMRConfig
from .diversity.pm2 import PM2Config
from .diversity.xquad import XQuADConfig
from .exposure import ExposureConfig
from .filters import filtered
from .knowledge import Knowledge
from .linear import LinearConfig
from .quotas.det import DetConsConfig, DetConstSortConfig, DetGreedyConfig, DetRelaxedConfig
from .quotas.fa_ir import FAIRConfig
from .stochastic.expohedron import ExpohedronConfig
from .stochastic.parity import ExposureParityConfig
from .stochastic.plackett_luce import PlackettLuceConfig
from .topk import TopKConfig
from .two_sided.cp_fair import CPFairConfig
from .two_sided.fair_rec import FairRecConfig
from .two_sided.fair_rec_plus import FairRecPlusConfig
from .two_sided.p_mmf import PMMFConfig
from .two_sided.tfrom import TFROMOfflineConfig
from .two_sided.tfrom_online import TFROMOnlineConfig
from .two_sided.welf import WelfConfig

RerankerConfig = Annotated[
    # One line each, so that a new re-ranker is one line more.
    TopKConfig
    | MMRConfig
    | ExposureConfig
    | LinearConfig
    | PlackettLuceConfig
    | DPPConfig
    | XQuADConfig
    | PM2Config
    | CalibratedConfig
    | PMMFConfig
    | CPFairConfig
    | FairRecConfig
    | FairRecPlusConfig
    | TFROMOfflineConfig
    | TFROMOnlineConfig
    | FairCoConfig
    | PIDConfig
    | DualMirrorDescentConfig
    | EpsilonGreedyConfig
    | ThompsonConfig
    | ExposureParityConfig
    | ExpohedronConfig
    | WelfConfig
    | FAIRConfig
    | DetGreedyConfig
    | DetConsConfig
    | DetRelaxedConfig
    | DetConstSortConfig,
    Field(discriminator="algorithm"),
]
"""Any re-ranker's configuration, told apart by ``algorithm``."""

# The wrappers hold any re-ranker's configuration: only here is it known what that is.
for wrapper in (EpsilonGreedyConfig, ThompsonConfig):
    wrapper.model_rebuild(_types_namespace={"RerankerConfig": RerankerConfig})


def make_reranker(config: RerankerConfig, knowledge: Knowledge) -> Reranker:
    """The re-ranker of a configuration, with the hard filters honoured.

    Args:
        config: Which algorithm, with what settings.
        knowledge: The items, the limits, and what is known of the users.

    Raises:
        InvalidValue: A setting, floor, filter or weight names what the knowledge does not hold.
    """
    reranker = config.make(knowledge)
    allowed = knowledge.constraints.filters.allowed(knowledge.catalogue)
    return reranker if allowed.all() else filtered(reranker, allowed)
