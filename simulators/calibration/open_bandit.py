"""The sample of the Open Bandit Dataset that lies inside the package ``obp``.

Saito, Aihara, Matsutani & Narita 2021, "Open Bandit Dataset and Pipeline: towards realistic and
reproducible off-policy evaluation", NeurIPS Datasets and Benchmarks; CC BY 4.0. Fashion items
shown at three positions side by side of a shop's page, by a uniformly random policy and by
Bernoulli Thompson sampling ("bts"), with the true probability of each choice: 10,000 impressions
of each of six logs. It is read where it was installed and never copied.

``obp`` itself is not imported.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...arrays import FloatArray
from ...errors import ArtifactNotFound, InvalidValue
from ..impressions import ImpressionLog

POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")


@dataclass(frozen=True, slots=True)
class OpenBandit:
    """One log of the sample.

    Attributes:
        log: Its impressions. Nobody is named, and rows shown together cannot be told: each is a
            slate of its own.
        item_features: Standardised price-like number and categories of each item, ``(I, F)``.
        topics: Membership of each item in the values of its broadest category, ``(I, T)``.
    """

    log: ImpressionLog
    item_features: FloatArray
    topics: np.ndarray


def read_open_bandit(policy: str = "random", campaign: str = "all") -> OpenBandit:
    """Read one of the six logs.

    Args:
        policy: What chose the items: ``random`` or ``bts``.
        campaign: Which part of the shop: ``all``, ``men`` or ``women``.

    Raises:
        InvalidValue: There is no such log.
        ArtifactNotFound: ``obp`` is not installed.
    """
    if policy not in POLICIES or campaign not in CAMPAIGNS:
        raise InvalidValue(
            f"there is no log {policy}/{campaign}",
            field="open_bandit",
            mend=f"Name one of {', '.join(POLICIES)}, a slash, and one of {', '.join(CAMPAIGNS)}.",
        )
    folder = _folder() / policy / campaign
    columns = ["timestamp", "item_id", "position", "click", "propensity_score"]
    rows = pd.read_csv(folder / f"{campaign}.csv", usecols=columns)
    items = pd.read_csv(folder / "item_context.csv", index_col=0).sort_values("item_id")
    time = pd.to_datetime(rows["timestamp"], format="ISO8601", utc=True)
    log = ImpressionLog(
        item_ids=items["item_id"].to_numpy().astype(np.str_),
        item=np.searchsorted(items["item_id"].to_numpy(), rows["item_id"].to_numpy()),
        position=rows["position"].to_numpy().astype(np.int32),
        clicked=rows["click"].to_numpy() == 1,
        slate=np.arange(len(rows)),
        day=((time - time.min()).dt.total_seconds() / 86400.0).to_numpy(),
        propensity_item=rows["propensity_score"].to_numpy(np.float64),
    )
    categories = ["item_feature_1", "item_feature_2", "item_feature_3"]
    number = items["item_feature_0"].to_numpy(np.float64)
    parts = [((number - number.mean()) / max(float(number.std()), 1e-9))[:, None]]
    parts += [pd.get_dummies(items[name]).to_numpy(np.float64) for name in categories]
    broadest = min(categories, key=lambda name: items[name].nunique())
    topics = pd.get_dummies(items[broadest]).to_numpy(bool)
    return OpenBandit(log, np.concatenate(parts, axis=1), topics)


def _folder() -> Path:
    found = importlib.util.find_spec("obp")
    if found is None or found.origin is None:
        raise ArtifactNotFound(
            "the package obp, which carries the data, is not installed",
            field="obp",
            mend="Install it without what it depends on: pip install --no-deps obp",
        )
    return Path(found.origin).parent / "dataset" / "obd"
