"""Worlds that a policy was not trained on."""

import numpy as np
from pydantic import BaseModel

from .config import WorldConfig


def perturb(config: WorldConfig, rng: np.random.Generator, strength: float = 0.3) -> WorldConfig:
    """Vary every numeric parameter of the dynamics at random (domain randomisation).

    Each parameter is multiplied by exp(strength · N(0, 1)) and clipped to its bounds; switches,
    horizon and slate size stay. Tobin et al. 2017, "Domain randomization for transferring deep
    neural networks".

    Args:
        config: The world to start from.
        rng: Source of the factors.
        strength: Standard deviation of the log factors; 0 returns an equal configuration.
    """
    return WorldConfig.model_validate(_perturbed(config, rng, strength))


def _perturbed(part: BaseModel, rng: np.random.Generator, strength: float) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            values[name] = _perturbed(value, rng, strength)
        elif isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("perturb"):
            low = next(m.ge for m in info.metadata if hasattr(m, "ge"))
            high = next(m.le for m in info.metadata if hasattr(m, "le"))
            varied = float(value * np.exp(strength * rng.standard_normal()))
            values[name] = min(max(varied, low), high)
        else:
            values[name] = value
    return values
