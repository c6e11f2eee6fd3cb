"""Candidate sets on disk: one folder per version, arrays and tables and a manifest."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .candidate_set import CandidateSet
from .catalogue import Catalogue, Groups
from .config import CandidateConfig
from .interactions import Interactions
from .item_weights import ItemWeights
from .left_out import LeftOut
from .sealed_folder import latest_version, read_sealed, version_of, write_version

__all__ = ["latest_candidates", "load_candidates", "save_candidates", "version_of"]

KIND = "candidates"
_MEND = "Make it again with `fairloop train candidates`."


def save_candidates(candidates: CandidateSet, root: Path) -> Path:
    """Store a candidate set as ``root/<version>``.

    Returns:
        The folder. Its name, the version, is the start of a hash of the content: equal data,
        configuration, packages and results give the same version.

    Raises:
        StorageFull: The disk is full; nothing is left behind.
    """

    def fill(folder: Path) -> dict[str, Any]:
        np.savez(folder / "pools.npz", allow_pickle=False, **_pool_arrays(candidates))
        _interactions(candidates).to_parquet(folder / "interactions.parquet", index=False)
        _users(candidates).to_parquet(folder / "users.parquet", index=False)
        _items(candidates.catalogue).to_parquet(folder / "items.parquet", index=False)
        return {
            "kind": KIND,
            "format": 1,
            "dataset_name": candidates.dataset_name,
            "config": candidates.config.model_dump(mode="json"),
            "metrics": candidates.metrics,
            "lineage": dict(candidates.lineage),
            "topic_names": list(candidates.catalogue.topic_names),
            "item_groups": _names(candidates.catalogue.groups),
            "user_groups": _names(candidates.user_groups),
        }

    return write_version(root, fill)


def load_candidates(folder: Path) -> CandidateSet:
    """Read a stored candidate set, every hash verified.

    Raises:
        ArtifactNotFound: There is none in the folder.
        CorruptArtifact: A file differs from its hash.
    """
    manifest = read_sealed(folder, KIND, _MEND)
    with np.load(folder / "pools.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    users = pd.read_parquet(folder / "users.parquet")
    catalogue = _catalogue(pd.read_parquet(folder / "items.parquet"), manifest, arrays["topics"])
    rows = pd.read_parquet(folder / "interactions.parquet")
    splits = (_split(rows, code, len(users), catalogue.n_items) for code in range(3))
    train, valid, heldout = splits
    return CandidateSet(
        config=CandidateConfig.model_validate(manifest["config"]),
        dataset_name=manifest["dataset_name"],
        user_ids=users["id"].to_numpy(dtype=str),
        catalogue=catalogue,
        user_groups=_groups(users, manifest["user_groups"]),
        train=train,
        valid=valid,
        heldout=heldout,
        items=arrays["items"],
        scores=arrays["scores"],
        metrics=manifest["metrics"],
        item_weights=ItemWeights.from_arrays(arrays),
        user_embeddings=arrays.get("user_embeddings"),
        item_embeddings=arrays.get("item_embeddings"),
        left_out=LeftOut.from_arrays(arrays),
        lineage=manifest["lineage"],
    )


def latest_candidates(root: Path) -> Path:
    """The folder of the version that was made last.

    Raises:
        ArtifactNotFound: None was made.
    """
    return latest_version(root, KIND, _MEND)


def _pool_arrays(candidates: CandidateSet) -> dict[str, np.ndarray]:
    arrays = {
        "items": np.asarray(candidates.items),
        "scores": np.asarray(candidates.scores),
        "topics": np.asarray(candidates.catalogue.topics),
    }
    if candidates.item_weights is not None:
        arrays |= candidates.item_weights.to_arrays()
    if candidates.left_out is not None:
        arrays |= candidates.left_out.to_arrays()
    if candidates.user_embeddings is not None:
        arrays["user_embeddings"] = np.asarray(candidates.user_embeddings)
    if candidates.item_embeddings is not None:
        arrays["item_embeddings"] = np.asarray(candidates.item_embeddings)
    return arrays


def _interactions(candidates: CandidateSet) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "split": np.full(len(part), code, dtype=np.int8),
                "user": part.user,
                "item": part.item,
                "rating": part.rating,
                "timestamp": part.timestamp,
            }
        )
        for code, part in enumerate((candidates.train, candidates.valid, candidates.heldout))
    ]
    return pd.concat(frames, ignore_index=True)


def _split(rows: pd.DataFrame, code: int, n_users: int, n_items: int) -> Interactions:
    part = rows[rows["split"] == code]
    columns = (part[name].to_numpy() for name in ("user", "item", "rating", "timestamp"))
    user, item, rating, timestamp = columns
    return Interactions.build(user, item, rating, timestamp, n_users, n_items)


def _users(candidates: CandidateSet) -> pd.DataFrame:
    codes = {f"group_{name}": groups.codes for name, groups in candidates.user_groups.items()}
    return pd.DataFrame({"id": candidates.user_ids, **codes})


def _items(catalogue: Catalogue) -> pd.DataFrame:
    codes = {f"group_{name}": groups.codes for name, groups in catalogue.groups.items()}
    described = {
        "id": catalogue.item_ids,
        "title": catalogue.titles,
        "year": catalogue.year,
        "popularity": catalogue.popularity,
    }
    return pd.DataFrame({**described, **codes})


def _catalogue(items: pd.DataFrame, manifest: dict[str, Any], topics: np.ndarray) -> Catalogue:
    return Catalogue(
        item_ids=items["id"].to_numpy(dtype=str),
        titles=items["title"].to_numpy(dtype=str),
        topics=topics,
        topic_names=tuple(manifest["topic_names"]),
        year=items["year"].to_numpy(dtype=float),
        popularity=items["popularity"].to_numpy(dtype=float),
        groups=_groups(items, manifest["item_groups"]),
    )


def _names(groups: dict[str, Groups]) -> list[tuple[str, list[str]]]:
    """A list, because the order of declaration is part of what is stored."""
    return [(attribute, list(group.names)) for attribute, group in groups.items()]


def _groups(frame: pd.DataFrame, names: list[tuple[str, list[str]]]) -> dict[str, Groups]:
    return {
        attribute: Groups(attribute, tuple(listed), frame[f"group_{attribute}"].to_numpy())
        for attribute, listed in names
    }
