"""How weights, columns and shares are printed."""

from .groups import detail_of, kind_of

_AXIS = {
    "clicks_lately": "choices of {} per list, lately",
    "taste": "satisfaction with {}, around neutral",
    "satisfaction": "satisfaction lately",
    "click_rate": "share chosen of what was shown",
    "log_slates": "lists seen",
    "log_days_away": "days away",
    "mean_fatigue": "candidates shown lately, per list",
    "pool_topic": "share of {} in the pool",
    "pool_size": "relative size of the pool",
    "base_head": "lead of the pool's best scores",
    "pool_popularity": "popularity of the pool",
    "pool_share": "share of {} in the pool",
}


def weight_label(name: str) -> str:
    """A weight's name as it is printed."""
    if name.startswith("floor:"):
        kind = "ceiling" if "!=" in name else "floor"
        return f"{kind}: {name.partition('=')[2].replace('_', ' ')}"
    return name.replace("_", " ")


def percent(share: float) -> str:
    """A share as it is printed, without a zero below zero."""
    return f"{round(100 * share) + 0:.0f}%"


def column_label(name: str) -> str:
    """What a column counts, for an axis."""
    label = _AXIS.get(kind_of(name), name.replace("_", " "))
    return label.format((detail_of(name) or "").partition("=")[2] or detail_of(name))
