"""Named worlds: the defaults, and what they are with one thing changed."""

from collections.abc import Mapping

from .config import (
    ChoiceConfig,
    DwellConfig,
    LeavingConfig,
    ReturnConfig,
    SessionConfig,
    WorldConfig,
)

PRESETS: Mapping[str, WorldConfig] = {
    "default": WorldConfig(),
    "static": WorldConfig.static(),
    "captive": WorldConfig(
        leaving=LeavingConfig(enabled=False), returning=ReturnConfig(enabled=False)
    ),
    "sessions": WorldConfig(session=SessionConfig(enabled=True), dwell=DwellConfig(enabled=True)),
    "cascade": WorldConfig(choice=ChoiceConfig(model="cascade")),
    "logit": WorldConfig(choice=ChoiceConfig(model="logit")),
}
"""``static``: no memory, one slate a day, nobody leaves: a bandit. ``captive``: everybody comes on
every day, however displeased. ``sessions``: several slates a day, and minutes on what was clicked.
``cascade`` and ``logit``: slates are looked at and chosen from in another way."""
