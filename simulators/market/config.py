"""Every parameter of a market, with its unit and its source; each dynamic switches off on its own.

Sources:
    Mladenov, Creager, Ben-Porat, Swersky, Zemel & Boutilier 2020, "Optimizing long-term social
    welfare in recommender systems: a constrained matching approach" (ICML): a provider whose
    receipts stay below a threshold abandons the platform.
    Zhan, Christakopoulou, Le, Ooi, Mladenov, Beutel, Boutilier, Chi & Chen 2021, "Towards content
    provider aware recommender systems" (WWW): decaying satisfaction, items made as it grows.
    Huttenlocher, Li, Lyu, Ozdaglar & Siderius 2023, "Matching of users and creators in two-sided
    markets with departures": both sides leave, so today's best match is not the best policy.
    Agarwal, Chen & Elango 2009, "Spatio-temporal models for estimating click-through rate" (WWW):
    gamma-Poisson shrinkage of an item's clicks towards what was expected.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..config import parameter


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DepartureConfig(_Part):
    """A provider in want leaves for good, its items with it.

    The probability of leaving after a day is rate · shortfall ** steepness, and 0 without a
    shortfall. With ``rate=1, steepness=0`` it is the threshold rule of Mladenov et al. 2020.
    """

    enabled: bool = True
    rate: float = parameter(
        0.1, "probability per day of a provider that receives nothing", "default", below=1.0
    )
    steepness: float = parameter(
        1.0, "exponent on the shortfall; 0 = any shortfall counts in full", "default", below=20.0
    )


class ProductionConfig(_Part):
    """A provider in want makes its coming items more slowly.

    Its own clock, on which its items are due, advances by 1 − slowdown · shortfall a day (Zhan et
    al. 2021: creators make items as their satisfaction grows).
    """

    enabled: bool = True
    slowdown: float = parameter(
        1.0, "share of its pace that a provider loses at full shortfall", "default", below=1.0
    )


class ProviderConfig(_Part):
    """What providers need, and what they do without it.

    Attributes:
        receives: What counts as received: the probability of having been examined (exposure), the
            clicks, or the satisfaction of those who clicked (engagement).
    """

    receives: Literal["exposure", "clicks", "engagement"] = "exposure"
    need: float = parameter(
        0.5,
        "receipts needed per day, as a share of an equal split of a starting day's receipts",
        "form of Mladenov et al. 2020; value: default",
        above=0.001,
        below=100.0,
    )
    need_spread: float = parameter(
        0.0, "standard deviation of log needs between providers", "default", below=3.0
    )
    half_life: float = parameter(
        7.0,
        "days until a day's receipts count half",
        "form of Zhan et al. 2021; value: default",
        above=0.1,
        below=365.0,
    )
    departure: DepartureConfig = DepartureConfig()
    production: ProductionConfig = ProductionConfig()


class ArrivalConfig(_Part):
    """Who and what is there on day 0, and how the rest arrives over the horizon.

    Attributes:
        process: ``poisson``: exponential gaps, at the rate that brings the rest within the
            horizon on average, so a few may come too late. ``fixed``: equal gaps, all in time.
    """

    process: Literal["poisson", "fixed"] = "poisson"
    users_at_start: float = parameter(
        1.0, "share of the users who are there on day 0", "default", above=0.01, below=1.0
    )
    items_at_start: float = parameter(
        1.0, "share of the items that are there on day 0", "default", above=0.01, below=1.0
    )
    lifetime_days: float = parameter(
        0.0, "days that an item stays on offer; 0 = for good", "default", below=3650.0
    )


class RecordConfig(_Part):
    """How the platform turns what it sees into scores."""

    score_slope: float = parameter(
        0.5, "click log-odds per standard deviation of the base score", "default", below=10.0
    )
    cold_shrinkage: float = parameter(
        5.0,
        "items of a topic that pull a cold item's prior half-way to 0",
        "default",
        above=0.01,
        below=1e3,
    )
    click_shrinkage: float = parameter(
        5.0,
        "expected clicks that pull an item's lift half-way to 1",
        "form of Agarwal et al. 2009; value: default",
        above=0.01,
        below=1e4,
    )
    click_weight: float = parameter(
        10.0, "showings that one click counts as, when repeats are avoided", "default", below=100.0
    )
    half_life: float = parameter(
        7.0, "days until a repeat counts half", "default", above=0.1, below=365.0
    )


class MarketConfig(_Part):
    """All parameters of a market; those of its users are in the world's ``WorldConfig``."""

    providers: ProviderConfig = ProviderConfig()
    arrivals: ArrivalConfig = ArrivalConfig()
    record: RecordConfig = RecordConfig()

    @classmethod
    def static(cls) -> "MarketConfig":
        """Everybody and everything is there from the start, and no provider reacts."""
        return cls(
            providers=ProviderConfig(
                departure=DepartureConfig(enabled=False),
                production=ProductionConfig(enabled=False),
            )
        )
