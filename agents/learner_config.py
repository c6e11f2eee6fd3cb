"""Settings of the learner; apart from it, so that reading a configuration needs no torch."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PPOConfig(BaseModel):
    """Budget and settings of proximal policy optimisation.

    Attributes:
        total_steps: User-steps of learning; one step is one slate for one user.
        critic_steps: User-steps at the start during which only the critic learns.
        n_envs: Users simulated side by side.
        rollout_steps: Steps of each user between updates.
        batch_size: Samples of a gradient step; must divide ``n_envs * rollout_steps``.
        epochs: Passes over a rollout.
        learning_rate: At the start; falls linearly to 0.
        gamma: Discount per visit.
        gae_lambda: Of generalised advantage estimation.
        clip: Range of the probability ratio.
        target_kl: An update ends early beyond 1.5 times this.
        log_std: Of the exploration at the start, in units of ``reach``.
        gsde: State-dependent instead of independent exploration noise.
        steered: Whether the controller that serves with the policy acts while it learns, too.
        reach: How far a weight may move from its tuned value, in standard deviations of score.
        actor_hidden: Widths of the actor's tanh layers.
        critic_hidden: Widths of the critic's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    total_steps: int = Field(default=400_000, ge=1)
    critic_steps: int = Field(default=32_768, ge=0)
    n_envs: int = Field(default=256, ge=1)
    rollout_steps: int = Field(default=32, ge=1)
    batch_size: int = Field(default=2048, ge=2)
    epochs: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    gamma: float = Field(default=0.97, gt=0.0, le=1.0)
    gae_lambda: float = Field(default=0.8, ge=0.0, le=1.0)
    clip: float = Field(default=0.2, gt=0.0)
    target_kl: float = Field(default=0.03, gt=0.0)
    log_std: float = -1.2
    gsde: bool = False
    steered: bool = False
    reach: float = Field(default=0.5, gt=0.0)
    actor_hidden: tuple[int, ...] = (64, 64)
    critic_hidden: tuple[int, ...] = (128, 128)

    @model_validator(mode="after")
    def _no_truncated_batches(self) -> "PPOConfig":
        if (self.n_envs * self.rollout_steps) % self.batch_size:
            raise ValueError("batch_size must divide n_envs * rollout_steps")
        return self
