"""`agents.train.learn` behind the `Learner` protocol."""

from ...arrays import FloatArray
from ..jobs import Serve
from ..outcomes import Arena, MakePolicy
from ..train import Learned, Progress, learn
from .config import PPOSettings
from .footing import require_shapes


class PPOLearner:
    """Proximal policy optimisation of the weights (Schulman et al. 2017), the default learner.

    Args:
        settings: Budget and settings.
    """

    name = "ppo"

    def __init__(self, settings: PPOSettings) -> None:
        self.settings = settings

    def learn(
        self,
        arena: Arena,
        start: FloatArray,
        units: FloatArray,
        margins: FloatArray,
        seed: int,
        progress: Progress | None = None,
    ) -> Learned:
        """See `Learner.learn`."""
        require_shapes(arena, start, units, margins)
        lagrange = self.settings.lagrange
        return learn(arena, start, units, margins, seed, self.settings, lagrange, progress=progress)

    def serve(self, learned: Learned) -> MakePolicy:
        """See `Learner.serve`."""
        return Serve(learned.policy)
