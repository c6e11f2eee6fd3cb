"""From our configuration to RecBole's, as one plain dictionary."""

from typing import Any

from .config import CandidateConfig
from .models import default_parameters, is_sequential

DATASET_NAME = "fairloop"
METRICS = ("ndcg", "recall", "hit", "mrr", "precision")
TOP_K = 10
_USERS_PER_BATCH = 256
_DENSE_CELLS = 30_000_000
# These do all their work when they are constructed; the epoch that follows computes nothing.
_CLOSED_FORM = frozenset({"ADMMSLIM", "AsymKNN", "EASE", "ItemKNN", "NCEPLRec", "SLIMElastic"})
_ONE_BATCH = 131_072


def recbole_settings(config: CandidateConfig, n_items: int) -> dict[str, Any]:
    """What RecBole's ``Config`` is given, apart from folders.

    Items and users are loaded even where nobody met them, so that indices agree with ours;
    attributes only where the model reads item features.
    """
    defaults = default_parameters(config.model)
    parameters = {**defaults, **config.model_parameters}
    sequential = is_sequential(config.model)
    item_columns = ["item_id"]
    if "selected_features" in parameters:
        item_columns += ["class"]
    settings: dict[str, Any] = {
        **config.model_parameters,
        "seed": config.seed,
        "reproducibility": True,
        "state": "WARNING",
        "show_progress": False,
        "use_gpu": config.device == "cuda",
        "load_col": {
            "inter": ["user_id", "item_id", "rating", "timestamp"],
            "user": ["user_id"],
            "item": item_columns,
        },
        "eval_args": {
            "split": {"RS": [0.8, 0.1, 0.1]},
            "group_by": "user",
            "order": "RO" if config.split == "random" else "TO",
            "mode": "full",
        },
        "repeatable": sequential,
        "metrics": list(METRICS),
        "topk": [TOP_K],
        "valid_metric": config.model_parameters.get("valid_metric", "MRR@10"),
        "metric_decimal_place": 12,
    }
    if config.model in _CLOSED_FORM:
        settings["train_batch_size"] = _ONE_BATCH
        settings["train_neg_sample_args"] = None
    if config.epochs is not None:
        settings["epochs"] = config.epochs
    if sequential and parameters.get("loss_type") == "CE":
        settings["train_neg_sample_args"] = None  # RecBole refuses its own default here
    return settings


def users_per_batch(n_items: int) -> int:
    """How many users are scored at a time, so that the score matrix stays small."""
    return max(1, min(_USERS_PER_BATCH, _DENSE_CELLS // n_items))
