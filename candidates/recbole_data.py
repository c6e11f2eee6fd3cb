"""The worker's data: RecBole's atomic files out of arrays, and its splits back as arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..arrays import IntArray
from .recbole_settings import DATASET_NAME


@dataclass(frozen=True, slots=True)
class JobData:
    """What one fit works on; indices are ours.

    Attributes:
        user: User of each interaction, shape ``(R,)``.
        item: Item of each interaction, shape ``(R,)``.
        rating: Shape ``(R,)``.
        timestamp: Shape ``(R,)``.
        n_users: Users ``U``.
        n_items: Items ``I``.
        topics: Topics of each item, joined by a space, shape ``(I,)``.
        seen_user: With ``seen_item``, the pairs never to be proposed; for a refit only.
        seen_item: Shape as ``seen_user``.
    """

    user: IntArray
    item: IntArray
    rating: np.ndarray
    timestamp: np.ndarray
    n_users: int
    n_items: int
    topics: np.ndarray
    seen_user: IntArray
    seen_item: IntArray

    @classmethod
    def load(cls, path: Path) -> "JobData":
        """Read the arrays that the parent process wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                user=arrays["user"],
                item=arrays["item"],
                rating=arrays["rating"],
                timestamp=arrays["timestamp"],
                n_users=int(arrays["n_users"]),
                n_items=int(arrays["n_items"]),
                topics=arrays["topics"],
                seen_user=arrays["seen_user"],
                seen_item=arrays["seen_item"],
            )


def write_job_files(job: JobData, folder: Path) -> None:
    """Write ``fairloop.inter``, ``.user`` and ``.item``; our indices are the tokens.

    Times are written as ranks: RecBole keeps them in 32 bits, where seconds since 1970 would be
    rounded to about two minutes and lose their order.
    """
    target = folder / DATASET_NAME
    target.mkdir(parents=True)
    rank = np.unique(job.timestamp, return_inverse=True)[1]
    _write(
        target / f"{DATASET_NAME}.inter",
        {
            "user_id:token": job.user,
            "item_id:token": job.item,
            "rating:float": job.rating,
            "timestamp:float": rank,
        },
    )
    _write(target / f"{DATASET_NAME}.user", {"user_id:token": np.arange(job.n_users)})
    _write(
        target / f"{DATASET_NAME}.item",
        {"item_id:token": np.arange(job.n_items), "class:token_seq": job.topics},
    )


def our_indices(dataset: Any, field: str, size: int) -> IntArray:
    """Our index of each of RecBole's internal ids; -1 for its padding id 0.

    Raises:
        ValueError: The ids do not match one to one.
    """
    tokens = dataset.field2id_token[field]
    ours = np.array([-1 if token == "[PAD]" else int(token) for token in tokens])
    if ours[0] != -1 or not np.array_equal(np.sort(ours[1:]), np.arange(size)):
        raise ValueError(f"RecBole's ids of {field} do not match the {size} that were sent")
    return ours


def split_codes(job: JobData, built: list[Any], user_of: IntArray, item_of: IntArray) -> np.ndarray:
    """0, 1 or 2 (train, valid, test) for each interaction, shape ``(R,)``.

    Sequential data sets drop the first interaction of each user, which is part of the training.
    """
    keys = job.user.astype(np.int64) * job.n_items + job.item
    order = np.argsort(keys)
    codes = np.zeros(len(keys), dtype=np.int8)
    for code, part in ((1, built[1]), (2, built[2])):
        user = user_of[part.inter_feat[part.uid_field].numpy()]
        item = item_of[part.inter_feat[part.iid_field].numpy()]
        found = np.searchsorted(keys[order], user.astype(np.int64) * job.n_items + item)
        codes[order[found]] = code
    return codes


def _write(path: Path, columns: dict[str, np.ndarray]) -> None:
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)
