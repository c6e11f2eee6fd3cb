"""Everything that decides what `train_policy` does; equal configurations give equal policies."""

from pydantic import BaseModel, ConfigDict, Field

from ..rerankers.constraints import Constraints
from ..simulators.config import WorldConfig
from .calibration import CalibrationConfig
from .gate import GateConfig
from .lagrange import LagrangeConfig
from .learner_config import PPOConfig
from .response import ResponseConfig
from .robustness.randomise import RandomiseConfig
from .search import SearchConfig
from .split import SplitConfig


class EvaluationConfig(BaseModel):
    """How the test is done.

    Attributes:
        seeds: Simulator seeds, each a fresh course of luck for every held-out user.
        n_bootstrap: Resamples of the users.
        confidence: Level of intervals and of one-sided bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: int = Field(default=5, ge=1)
    n_bootstrap: int = Field(default=2000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)


class TrainConfig(BaseModel):
    """Training, tuning of the baselines, calibration, evaluation and gate.

    Attributes:
        seed: Root of all randomness.
        training_seeds: Policies trained; the best on validation users is published.
        workers: Processes that tune and train side by side; results do not depend on it.
        threads: Threads of each process's linear algebra in torch.
        constraints: The limits; `default_constraints` on the training users where None.
        world: The simulated world.
        randomise: Worlds drawn around it, in which is learned; where None, it is learned in.
            Baselines are tuned in it either way, and calibration and evaluation are in it.
        split: Shares of the users.
        response: How the model of users' answers is learned.
        search: Budget of each tuned baseline.
        ppo: Budget and settings of learning.
        lagrange: Gains of the multipliers.
        calibration: Margins and effort.
        evaluation: How the test is done.
        gate: The rule for deployment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=2020, ge=0)
    training_seeds: int = Field(default=1, ge=1)
    workers: int = Field(default=1, ge=1)
    threads: int = Field(default=1, ge=1)
    constraints: Constraints | None = None
    world: WorldConfig = WorldConfig()
    randomise: RandomiseConfig | None = None
    split: SplitConfig = SplitConfig()
    response: ResponseConfig = ResponseConfig()
    search: SearchConfig = SearchConfig()
    ppo: PPOConfig = PPOConfig()
    lagrange: LagrangeConfig = LagrangeConfig()
    calibration: CalibrationConfig = CalibrationConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    gate: GateConfig = GateConfig()

    @classmethod
    def smoke(cls, seed: int = 2020) -> "TrainConfig":
        """Budgets of seconds, to see that everything runs; its policies are not worth much."""
        return cls(
            seed=seed,
            response=ResponseConfig(rounds=2, passes=1),
            search=SearchConfig(steps=20_000, users=32, population=8),
            ppo=PPOConfig(
                total_steps=16_384, critic_steps=2_048, n_envs=64, rollout_steps=32, batch_size=1024
            ),
            calibration=CalibrationConfig(rounds=6, seeds=1, choice_seeds=1),
            evaluation=EvaluationConfig(n_bootstrap=500),
        )
