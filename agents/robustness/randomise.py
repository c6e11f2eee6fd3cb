"""Worlds that could be the real one: each parameter drawn from a range around its base value.

Domain randomisation: a policy that has learned in many worlds, each drawn anew, takes the real one
for one more of them (Tobin et al. 2017, "Domain randomization for transferring deep neural networks
from simulation to the real world"; Peng et al. 2018, "Sim-to-real transfer of robotic control with
dynamics randomization"). The same draws, from other seeds, are the worlds it is tested in.
"""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...errors import InvalidValue
from ...simulators.config import WorldConfig
from ...simulators.world import World
from .parameters import known_parameters, parameter, scaled, value_of
from .worlds import PER_USER, under, with_taste_noise, with_user_factors


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FactorRange(_Model):
    """From which factor to which a parameter varies; both ends are possible.

    Attributes:
        parameter: Name, such as ``"satiation.strength"``.
        low: Smallest factor on the base value.
        high: Largest factor.
    """

    parameter: str
    low: float = Field(gt=0.0, le=1e3)
    high: float = Field(gt=0.0, le=1e3)

    @model_validator(mode="after")
    def _check(self) -> "FactorRange":
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        try:
            parameter(self.parameter)
        except InvalidValue as error:
            raise ValueError(str(error)) from error
        return self

    def at(self, quantile: float) -> float:
        """The factor below which that share of the draws lies: they are uniform in its log."""
        log_factor = np.log(self.low) + quantile * (np.log(self.high) - np.log(self.low))
        # The bounds are held exactly, so that a range from 1 to 1 changes nothing at all.
        return min(max(float(np.exp(log_factor)), self.low), self.high)


def _around(low: float, high: float, *names: str) -> tuple[FactorRange, ...]:
    return tuple(FactorRange(parameter=name, low=low, high=high) for name in names)


DEFAULT_FACTORS = (
    *_around(0.5, 1.5, "choice.position_bias"),
    *_around(0.7, 1.4, "choice.base_attraction", "choice.attraction_spread"),
    *_around(0.5, 2.0, "satiation.strength", "satiation.threshold", "satiation.half_life"),
    *_around(0.5, 2.0, "satiation.on_satisfaction"),
    *_around(0.5, 2.0, "fatigue.per_showing", "fatigue.per_click", "fatigue.half_life"),
    *_around(0.5, 2.0, "drift.rate", "drift.gain"),
    *_around(0.5, 1.5, "satisfaction.noise", "satisfaction.memory"),
    *_around(0.8, 1.25, "satisfaction.reference"),
    *_around(0.5, 2.0, "leaving.base_rate", "leaving.sensitivity"),
    *_around(0.7, 1.5, "returning.mean_days"),
    *_around(0.5, 2.0, "returning.sensitivity", "heterogeneity"),
)
"""Half to twice where nothing but a default is known, narrower where a little is: the mean interval
between visits, the mean click rate and the share of satisfying clicks can be counted in any log."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class WorldRanges(_Model):
    """What may differ from the base world, and how much.

    Attributes:
        factors: Range of each parameter that varies, as factors on its base value; drawn values
            are kept within the parameter's bounds. The others stay as they are.
        taste_noise: Range of the share of what users like at rest that is replaced by tastes which
            the data do not know.
    """

    factors: tuple[FactorRange, ...] = DEFAULT_FACTORS
    taste_noise: tuple[Share, Share] = (0.0, 0.2)

    @model_validator(mode="after")
    def _check(self) -> "WorldRanges":
        names = [factor.parameter for factor in self.factors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"more than one range for {', '.join(twice)}")
        if self.taste_noise[0] > self.taste_noise[1]:
            raise ValueError("taste_noise must be (low, high)")
        return self

    @classmethod
    def nothing(cls) -> "WorldRanges":
        """Ranges from which only the base world can be drawn."""
        return cls(factors=(), taste_noise=(0.0, 0.0))

    @property
    def by_name(self) -> dict[str, FactorRange]:
        """The ranges by parameter."""
        return {factor.parameter: factor for factor in self.factors}

    def without(self, names: frozenset[str]) -> "WorldRanges":
        """The same ranges but for those of some parameters."""
        kept = tuple(f for f in self.factors if f.parameter not in names)
        return self.model_copy(update={"factors": kept})


class RandomiseConfig(_Model):
    """Learning in drawn worlds in place of the fitted one.

    Attributes:
        worlds: How many.
        ranges: What differs between them, and between their users.
    """

    worlds: int = Field(default=6, ge=1, le=256)
    ranges: WorldRanges = WorldRanges()


class DrawnWorld(_Model):
    """A world that was drawn: enough to make it again from the base world.

    Attributes:
        config: Its parameters.
        taste_noise: Share of what users like at rest that is theirs alone.
        seed: Root of those tastes.
    """

    config: WorldConfig
    taste_noise: Share
    seed: int

    def changed(self, base: WorldConfig) -> dict[str, float]:
        """Factors on the base values, of the parameters that differ."""
        factors: dict[str, float] = {}
        for name in known_parameters():
            before, now = value_of(base, name), value_of(self.config, name)
            if now != before:
                factors[name] = now / before
        return factors

    def of(self, base: World) -> World:
        """The base world's users in this world."""
        return with_taste_noise(under(base, self.config), self.taste_noise, self.seed)


def draw_world_config(
    base: WorldConfig, ranges: WorldRanges, rng: np.random.Generator
) -> WorldConfig:
    """Draw every parameter that has a range, uniform in the log of its factor.

    Each parameter of the world uses up one number of ``rng``, whether it has a range or not: a
    range that is added or taken away does not change what the others are drawn as.

    Args:
        base: Holds for what has no range, and is what the factors apply to.
        ranges: See `WorldRanges`.
        rng: Source of the draws.
    """
    by_name = ranges.by_name
    draws = dict(zip(known_parameters(), rng.random(len(known_parameters())), strict=True))
    return scaled(base, {name: by_name[name].at(draws[name]) for name in draws if name in by_name})


def draw_world(base: WorldConfig, ranges: WorldRanges, seed: int) -> DrawnWorld:
    """Draw a whole world; equal seeds draw equal worlds."""
    for_config, for_noise, for_tastes = np.random.SeedSequence(seed).spawn(3)
    low, high = ranges.taste_noise
    noise = low + (high - low) * float(np.random.default_rng(for_noise).random())
    return DrawnWorld(
        config=draw_world_config(base, ranges, np.random.default_rng(for_config)),
        taste_noise=min(max(noise, low), high),
        seed=int(for_tastes.generate_state(1)[0]),
    )


def draw_worlds(base: WorldConfig, ranges: WorldRanges, n: int, seed: int) -> list[DrawnWorld]:
    """Draw ``n`` worlds; the first ones do not depend on ``n``."""
    roots = np.random.SeedSequence(seed).generate_state(n)
    return [draw_world(base, ranges, int(root)) for root in roots]


def randomise_users(world: World, ranges: WorldRanges, seed: int) -> World:
    """Give every user their own draw of what differs between users anyway.

    One batch of users then lives in as many worlds as it has users, at no cost: how strongly a user
    satiates, tires, drifts, leaves and returns is a factor of each row (`Sensitivities`). All else
    is one number for a world; `training_worlds` varies it between several.

    Args:
        world: The users.
        ranges: Those of the parameters in `PER_USER` are drawn from.
        seed: A user's draw depends on it and on the user's index alone.
    """
    by_name = ranges.by_name
    chosen = {
        trait: (by_name[name].low, by_name[name].high)
        for trait, name in PER_USER.items()
        if name in by_name
    }
    return with_user_factors(world, chosen, seed)


def training_worlds(world: World, ranges: WorldRanges, n: int, seed: int) -> tuple[World, ...]:
    """``n`` worlds to learn in side by side.

    What is one number for a world is drawn for each; what differs between users is drawn for every
    user of every world.

    Args:
        world: The training users in the base world.
        ranges: What varies.
        n: Worlds.
        seed: Root of all draws; the first worlds do not depend on ``n``.
    """
    if n < 1:
        raise InvalidValue(f"{n} worlds", field="n", mend="Use 1 or more.")
    shared = ranges.without(frozenset(PER_USER.values()))
    drawn = draw_worlds(world.config, shared, n, seed)
    return tuple(randomise_users(one.of(world), ranges, one.seed) for one in drawn)
