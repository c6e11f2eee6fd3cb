"""Every parameter of the simulated world, with its unit and its source.

A source is a paper (given in full in ``choice``, ``dynamics`` or ``tastes``), or "default" where
ratings alone cannot identify the number and a plausible value stands. Each dynamic can be switched
off on its own.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def parameter(
    default: float, unit: str, source: str, *, above: float = 0.0, below: float = 1e3
) -> Any:
    """A numeric parameter from ``above`` to ``below``, both included; ``perturb`` varies it."""
    return Field(
        default=default,
        ge=above,
        le=below,
        allow_inf_nan=False,
        description=f"{unit}; {source}",
        json_schema_extra={"unit": unit, "source": source, "perturb": True},
    )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChoiceConfig(_Part):
    """How a slate is looked at and chosen from; the equations are in ``choice``.

    Attributes:
        model: ``position``: each position is examined on its own, then clicked or not.
            ``cascade``: read from the top until the user stops. ``logit``: one item or none.
    """

    model: Literal["position", "cascade", "logit"] = "position"
    position_bias: float = parameter(
        1.0,
        "exponent on 1/log2(j + 1); 0 = every position is examined. In a logit, a factor on the "
        "odds of the position; not used by a cascade",
        "form of Joachims et al. 2017 over the discount of Singh & Joachims 2018; value: default",
        below=5.0,
    )
    continue_after_click: float = parameter(
        0.6,
        "cascade: probability of reading on after a click",
        "form of Guo, Liu & Wang 2009; value: default",
        below=1.0,
    )
    continue_after_skip: float = parameter(
        0.95,
        "cascade: probability of reading on after no click",
        "form of Chapelle & Zhang 2009; value: default",
        below=1.0,
    )
    no_click: float = parameter(
        2.0,
        "logit: log-odds of choosing nothing, against an item of log-odds 0",
        "form of McFadden 1974; value: default",
        above=-20.0,
        below=20.0,
    )
    base_attraction: float = parameter(
        0.3,
        "mean probability of a click on an examined candidate",
        "default: ratings have no impressions",
        above=0.001,
        below=0.9,
    )
    attraction_spread: float = parameter(
        1.0, "standard deviation of a candidate's click log-odds", "default", below=5.0
    )


class TasteConfig(_Part):
    """What click appeal and satisfaction are made of.

    The ``appeal_*`` weights are relative: their mixture is scaled to
    ``ChoiceConfig.attraction_spread``.
    """

    appeal_model: float = parameter(
        0.5, "weight of the base model's standardised score", "default", below=10.0
    )
    appeal_topics: float = parameter(
        0.4,
        "weight of the user's topic affinity, from how often topics were rated",
        "default",
        below=10.0,
    )
    appeal_clickbait: float = parameter(
        0.4, "weight of popularity that quality does not explain", "default", below=10.0
    )
    appeal_hidden: float = parameter(
        1.0, "weight of taste that the base model does not know", "default", below=10.0
    )
    worth_model: float = parameter(
        0.1, "rating points per standard deviation of the base model's score", "default", below=2.0
    )
    hidden_share: float = parameter(
        0.5,
        "share of the unexplained rating variance that is lasting taste, not noise",
        "default: one rating per item cannot split them",
        below=1.0,
    )
    shrinkage: float = parameter(
        10.0, "ratings that pull a mean half-way to zero", "Koren & Bell 2015", below=1e3
    )
    unrated_satisfaction: float = parameter(
        0.6, "mean satisfaction where ratings do not vary", "default", above=0.02, below=0.98
    )


class SatiationConfig(_Part):
    """Recent consumption of a topic makes more of it less welcome, beyond a threshold."""

    enabled: bool = True
    strength: float = parameter(
        1.0,
        "click log-odds lost per recent click beyond the threshold",
        "form of Leqi et al. 2021; value: default",
        below=10.0,
    )
    threshold: float = parameter(
        0.5, "recent clicks on a topic that do not satiate yet", "default", below=20.0
    )
    half_life: float = parameter(
        4.0, "days", "form of Leqi et al. 2021; value: default", above=0.1, below=365.0
    )
    on_satisfaction: float = parameter(
        0.5, "share of the loss that satisfaction suffers too", "default", below=2.0
    )


class FatigueConfig(_Part):
    """An item shown again and again, or already consumed, is less likely to be clicked."""

    enabled: bool = True
    per_showing: float = parameter(
        0.3,
        "click log-odds lost per recent showing",
        "form of Ma et al. 2016 and Lee et al. 2014; value: default",
        below=10.0,
    )
    per_click: float = parameter(
        3.0,
        "click log-odds lost per recent click on the item",
        "form of Anderson et al. 2014; value: default, a film seen is rarely seen again soon",
        below=20.0,
    )
    half_life: float = parameter(10.0, "days", "default", above=0.1, below=365.0)


class DriftConfig(_Part):
    """Interest moves towards the topics that are consumed with satisfaction."""

    enabled: bool = True
    rate: float = parameter(
        0.05,
        "share of the way to this visit's topics",
        "form of Jiang et al. 2019; value: default",
        below=1.0,
    )
    gain: float = parameter(2.0, "log-odds per unit of drifted topic share", "default", below=20.0)


class SatisfactionConfig(_Part):
    """Satisfaction with what was clicked, and its memory."""

    noise: float = parameter(
        0.5,
        "half-width of the uniform noise, as a share of the room to 0 or 1",
        "default",
        below=1.0,
    )
    memory: float = parameter(
        0.3, "weight of the newest visit in the running mood", "default", above=0.01, below=1.0
    )
    reference: float = parameter(
        0.4, "mood at which leaving and returning are at their base rates", "default", below=1.0
    )


class DwellConfig(_Part):
    """How long a clicked item is looked at, and which part of it; a sign of satisfaction."""

    enabled: bool = False
    minutes: float = parameter(
        20.0,
        "minutes; median time on a clicked item of satisfaction 0.5",
        "log-normal as in Yin et al. 2013; value: default",
        above=0.01,
        below=1e3,
    )
    gain: float = parameter(
        2.0,
        "log minutes per unit of satisfaction",
        "direction of Kim et al. 2014; value: default",
        below=20.0,
    )
    spread: float = parameter(0.5, "standard deviation of log minutes", "default", below=5.0)
    length: float = parameter(
        60.0, "minutes; an item is completed, and no longer looked at, then", "default", above=0.01
    )


class SessionConfig(_Part):
    """Several slates on one day: a satisfied user asks for another one."""

    enabled: bool = False
    mean_slates: float = parameter(
        3.0, "mean slates of a session at the reference mood", "default", above=1.001, below=100.0
    )
    sensitivity: float = parameter(
        2.0,
        "log-odds of another slate, per unit of mood",
        "direction of Ie et al. 2019; value: default",
        below=50.0,
    )


class LeavingConfig(_Part):
    """A disappointed user leaves for good."""

    enabled: bool = True
    base_rate: float = parameter(
        0.03,
        "probability of leaving after a visit at the reference mood",
        "default",
        above=1e-4,
        below=0.9,
    )
    sensitivity: float = parameter(
        4.0,
        "log-odds per unit of mood",
        "form of Hohnhold et al. 2015; value: default",
        below=50.0,
    )


class ReturnConfig(_Part):
    """A satisfied user returns sooner: a daily return hazard."""

    enabled: bool = True
    mean_days: float = parameter(
        2.0, "mean days between visits at the reference mood", "default", above=1.001, below=60.0
    )
    sensitivity: float = parameter(
        3.0,
        "log-odds of returning each day, per unit of mood",
        "form of Kapoor et al. 2014; value: default",
        below=50.0,
    )


class WorldConfig(_Part):
    """All parameters of the world.

    Attributes:
        horizon_days: Days simulated; a user whose next visit falls later is truncated.
        slate_size: Items shown per visit, ``k``.
        heterogeneity: Standard deviation of the log of each user's sensitivities; default.
    """

    horizon_days: int = Field(default=30, ge=1, le=3650)
    slate_size: int = Field(default=10, ge=1, le=1000)
    heterogeneity: float = parameter(
        0.5, "standard deviation of log sensitivities between users", "default", below=2.0
    )
    choice: ChoiceConfig = ChoiceConfig()
    tastes: TasteConfig = TasteConfig()
    satiation: SatiationConfig = SatiationConfig()
    fatigue: FatigueConfig = FatigueConfig()
    drift: DriftConfig = DriftConfig()
    satisfaction: SatisfactionConfig = SatisfactionConfig()
    dwell: DwellConfig = DwellConfig()
    session: SessionConfig = SessionConfig()
    leaving: LeavingConfig = LeavingConfig()
    returning: ReturnConfig = ReturnConfig()

    @classmethod
    def static(cls) -> "WorldConfig":
        """A world without memory: plain position-based choice, one slate a day, nobody leaves."""
        return cls(
            satiation=SatiationConfig(enabled=False),
            fatigue=FatigueConfig(enabled=False),
            drift=DriftConfig(enabled=False),
            leaving=LeavingConfig(enabled=False),
            returning=ReturnConfig(enabled=False),
        )
