"""Settings of every learner; apart from them, so that reading a configuration needs no torch."""

from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ..lagrange import LagrangeConfig
from ..learner_config import PPOConfig

if TYPE_CHECKING:
    from .base import Learner

Hidden = tuple[Annotated[int, Field(ge=1)], ...]


class LearnerSettings(Protocol):
    """What all settings have in common."""

    @property
    def learner(self) -> str:
        """Name in the registry."""
        ...

    @property
    def total_steps(self) -> int:
        """Budget in user-steps of simulation; one step is one slate for one user."""
        ...

    def make(self) -> "Learner":
        """The learner with these settings."""
        ...


class PPOSettings(PPOConfig):
    """`agents.train.learn`: proximal policy optimisation of the weights.

    Attributes:
        lagrange: Gains of the multipliers.
    """

    learner: Literal["ppo"] = "ppo"
    lagrange: LagrangeConfig = LagrangeConfig()

    def make(self) -> "Learner":
        """See `LearnerSettings.make`."""
        from .ppo import PPOLearner

        return PPOLearner(self)


class _Settings(BaseModel):
    """Shared by the learners of this folder.

    Attributes:
        total_steps: User-steps of learning; with 0 the policy stays where it starts.
        reach: How far a weight may move from its tuned value, in standard deviations of score.
        actor_hidden: Widths of the policy's tanh layers.
        lagrange: Gains of the multipliers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    total_steps: int = Field(default=400_000, ge=0)
    reach: float = Field(default=0.5, gt=0.0)
    actor_hidden: Hidden = (64, 64)
    lagrange: LagrangeConfig = LagrangeConfig()


class EvolutionSettings(_Settings):
    """Evolution strategy over the layers of the network.

    Attributes:
        pairs: Antithetic pairs of candidates per generation.
        users: Users that each candidate serves for an episode; all candidates of a generation share
            users and luck, the next generation draws others.
        sigma: Standard deviation of the perturbations, in what they move a layer's output by.
        learning_rate: Of Adam, in units of the same; falls linearly to 0.
    """

    learner: Literal["evolution"] = "evolution"
    actor_hidden: Hidden = (16,)
    pairs: int = Field(default=16, ge=1)
    users: int = Field(default=16, ge=1)
    sigma: float = Field(default=0.2, gt=0.0)
    learning_rate: float = Field(default=0.05, gt=0.0)

    def make(self) -> "Learner":
        """See `LearnerSettings.make`."""
        from .evolution import EvolutionLearner

        return EvolutionLearner(self)


class TD3Settings(_Settings):
    """Twin delayed deterministic policy gradient on the weights.

    Attributes:
        critic_steps: User-steps at the start during which only the critics learn.
        n_envs: Users simulated side by side.
        buffer_steps: Transitions kept for replay.
        batch_size: Transitions of a gradient step.
        gradient_steps: Gradient steps of the critics per slate of all ``n_envs`` users; the actor
            takes half as many.
        learning_rate: Of actor and critics; falls linearly to 0.
        gamma: Discount per visit.
        tau: Share of the newest networks in the targets after each step of the actor.
        noise: Standard deviation of the exploration, in units of ``reach``.
        critic_hidden: Widths of the critics' layers.
        window: Steps of all users between updates of the multipliers.
    """

    learner: Literal["td3"] = "td3"
    critic_steps: int = Field(default=32_768, ge=0)
    n_envs: int = Field(default=256, ge=1)
    buffer_steps: int = Field(default=200_000, ge=1)
    batch_size: int = Field(default=256, ge=2)
    gradient_steps: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    gamma: float = Field(default=0.97, gt=0.0, le=1.0)
    tau: float = Field(default=0.01, gt=0.0, le=1.0)
    noise: float = Field(default=0.2, gt=0.0)
    critic_hidden: Hidden = (128, 128)
    window: int = Field(default=32, ge=1)

    def make(self) -> "Learner":
        """See `LearnerSettings.make`."""
        from .off_policy import TD3Learner

        return TD3Learner(self)


class PlackettLuceSettings(_Settings):
    """Policy gradient on slates drawn one position after another.

    Attributes:
        temperature: Divides the scores, in standard deviations of the tuned score; above 0.
        critic_steps: User-steps at the start during which only the critic learns.
        n_envs: Users simulated side by side.
        rollout_steps: Steps of each user between updates.
        batch_size: Samples of a gradient step.
        epochs: Passes over a rollout.
        learning_rate: At the start; falls linearly to 0.
        gamma: Discount per visit.
        gae_lambda: Of generalised advantage estimation.
        clip: Range of the probability ratio.
        target_kl: An update ends early beyond 1.5 times this.
        critic_hidden: Widths of the critic's layers.
    """

    learner: Literal["plackett-luce"] = "plackett-luce"
    temperature: float = Field(default=0.1, gt=0.0)
    critic_steps: int = Field(default=16_384, ge=0)
    n_envs: int = Field(default=128, ge=1)
    rollout_steps: int = Field(default=32, ge=1)
    batch_size: int = Field(default=1024, ge=2)
    epochs: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    gamma: float = Field(default=0.97, gt=0.0, le=1.0)
    gae_lambda: float = Field(default=0.8, ge=0.0, le=1.0)
    clip: float = Field(default=0.2, gt=0.0)
    target_kl: float = Field(default=0.03, gt=0.0)
    critic_hidden: Hidden = (128, 128)

    def make(self) -> "Learner":
        """See `LearnerSettings.make`."""
        from .plackett_luce import PlackettLuceLearner

        return PlackettLuceLearner(self)


AnySettings = Annotated[
    PPOSettings | EvolutionSettings | TD3Settings | PlackettLuceSettings,
    Field(discriminator="learner"),
]
"""Settings of any learner, told apart by their name."""
