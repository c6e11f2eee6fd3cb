"""The file that re-ranked slates are written to."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..arrays import FloatArray
from ..candidates.folders import write_file_atomically
from ..candidates.proposals import Proposals
from ..errors import InvalidValue
from ..rerankers.base import Slates


def write_slates(proposals: Proposals, slates: Slates, path: Path) -> None:
    """Write one row a position: ``user``, ``item``, ``rank`` from 1, ``score``, ``propensity``.

    Raises:
        InvalidValue: The file ends in neither ``.parquet`` nor ``.csv``.
        StorageFull: The disk is full; an earlier file stays as it was.
    """
    require_writable(path)
    pools = proposals.pools
    n_users, k = slates.items.shape
    scores: FloatArray = np.take_along_axis(pools.scores, slates.columns, axis=1)
    frame = pd.DataFrame(
        {
            "user": np.repeat(proposals.user_ids[pools.users], k),
            "item": proposals.catalogue.item_ids[slates.items].ravel(),
            "rank": np.tile(np.arange(1, k + 1), n_users),
            "score": scores.ravel(),
            "propensity": np.repeat(slates.propensities, k),
        }
    )
    if path.suffix == ".parquet":
        write_file_atomically(path, frame.to_parquet(index=False))
    else:
        write_file_atomically(path, frame.to_csv(index=False).encode())


def require_writable(path: Path) -> None:
    """Refuse a file that could not be written, before anything is computed.

    Raises:
        InvalidValue: Its ending is not known, or it is a folder.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise InvalidValue(
            f"{path.name} ends in neither .parquet nor .csv",
            field="out",
            mend="Name the file slates.parquet, for example.",
        )
    if path.is_dir():
        raise InvalidValue(f"{path} is a folder", field="out", mend="Name a file in it.")
