"""Fitting RecBole models, seen from the parent process: data set in, candidate set out."""

import errno
import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..arrays import BoolArray
from ..errors import InvalidValue, StorageFull, WorkerFailed
from .build import build_catalogue, build_user_groups
from .candidate_set import CandidateSet
from .config import CandidateConfig
from .dataset import Dataset
from .groups import GroupsConfig
from .interactions import Interactions
from .item_weights import ItemWeights
from .left_out import LeftOut
from .models import require_model
from .worker_process import WorkerProcess

Progress = Callable[[int, int], None]

_PACKAGES = ("recbole", "torch", "numpy", "scipy", "pandas")


def fit_candidates(
    dataset: Dataset,
    config: CandidateConfig | None = None,
    groups: GroupsConfig | None = None,
    progress: Progress | None = None,
) -> CandidateSet:
    """Fit one RecBole model in its own process.

    Args:
        dataset: What to fit on.
        config: Model, split and pool size; EASE with 100 candidates by default.
        groups: Groups of items and users to declare; popularity and activity by default.
        progress: Called with epochs done and the largest number of epochs.

    Raises:
        InvalidValue: Model, split or a parameter cannot be used.
        MissingColumn: A declared group needs a column that the data set lacks.
        WorkerFailed: RecBole failed or took too long.
        StorageFull: The disk is full.
    """
    with RecBoleWorker() as worker:
        return worker.fit(dataset, config, groups, progress)


class RecBoleWorker:
    """One process for many fits, so that RecBole is imported once; a context manager.

    After a failure the next fit starts a new process.
    """

    def __init__(self) -> None:
        self._process: WorkerProcess | None = None

    def fit(
        self,
        dataset: Dataset,
        config: CandidateConfig | None = None,
        groups: GroupsConfig | None = None,
        progress: Progress | None = None,
    ) -> CandidateSet:
        """Split, fit and evaluate; see ``fit_candidates``."""
        config = config or CandidateConfig()
        groups = groups or GroupsConfig()
        require_model(config)
        arrays, metrics = self._run("fit", config, _job_of_dataset(dataset), progress)
        train, valid, heldout = (_part(dataset, arrays["split"] == code) for code in range(3))
        return CandidateSet(
            config=config,
            dataset_name=dataset.name,
            user_ids=dataset.user_ids,
            catalogue=build_catalogue(dataset, groups, train),
            user_groups=build_user_groups(dataset, groups, train),
            train=train,
            valid=valid,
            heldout=heldout,
            items=arrays["items"].astype(np.int32),
            scores=arrays["scores"].astype(np.float32),
            metrics=metrics,
            item_weights=ItemWeights.from_arrays(arrays),
            user_embeddings=arrays.get("user_embeddings"),
            item_embeddings=arrays.get("item_embeddings"),
            left_out=LeftOut.from_arrays(arrays),
            lineage={
                "dataset": dataset.content_hash(),
                "groups": groups.model_dump(mode="json"),
                "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
            },
        )

    def refit(
        self,
        base: CandidateSet,
        train: Interactions,
        top_n: int | None = None,
        progress: Progress | None = None,
    ) -> CandidateSet:
        """Fit the model of ``base`` again on other training interactions.

        Validation and held-out interactions, catalogue and groups stay those of ``base``, so that
        what is measured stays comparable; nothing seen in ``train`` is proposed. There is no early
        stopping: all epochs are run, and ``metrics`` are empty.

        Raises:
            InvalidValue: ``train`` is about other users or items.
            WorkerFailed: RecBole failed or took too long.
            StorageFull: The disk is full.
        """
        if (train.n_users, train.n_items) != (base.n_users, base.n_items):
            raise InvalidValue(
                f"{train.n_users} users and {train.n_items} items, but {base.n_users} and "
                f"{base.n_items} in the candidate set",
                field="train",
            )
        config = base.config.model_copy(update={"top_n": top_n or base.config.top_n})
        arrays, _ = self._run("refit", config, _job_of_training(base, train), progress)
        return replace(
            base,
            config=config,
            train=train,
            items=arrays["items"].astype(np.int32),
            scores=arrays["scores"].astype(np.float32),
            metrics={},
            item_weights=ItemWeights.from_arrays(arrays),
            user_embeddings=arrays.get("user_embeddings"),
            item_embeddings=arrays.get("item_embeddings"),
            left_out=LeftOut.from_arrays(arrays),
        )

    def close(self) -> None:
        """End the process, if one runs."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> "RecBoleWorker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.__exit__(kind, error, trace)

    def _run(
        self,
        kind: str,
        config: CandidateConfig,
        job: dict[str, np.ndarray],
        progress: Progress | None,
    ) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """Hand a job to the process and take its arrays and metrics back."""
        if self._process is None or not self._process.alive:
            self.close()
            self._process = WorkerProcess()
        given, made = self._process.folder / "in.npz", self._process.folder / "out.npz"
        _save(given, job)
        request = {
            "kind": kind,
            "config": config.model_dump(mode="json"),
            "input": str(given),
            "output": str(made),
        }
        answer = self._process.ask(request, config.timeout_seconds, progress)
        if answer["event"] == "error":
            raise _named_error(answer, config, self._process)
        with np.load(made, allow_pickle=False) as arrays:
            return dict(arrays), answer["metrics"]


def _named_error(
    answer: dict[str, Any], config: CandidateConfig, process: WorkerProcess
) -> WorkerFailed | StorageFull:
    if answer["errno"] == errno.ENOSPC:
        return StorageFull(
            "no space left for the RecBole worker's files",
            field=str(process.folder),
            mend="Free some space and retry.",
        )
    return WorkerFailed(
        f"RecBole could not fit {config.model}: {answer['type']}: {answer['message']}. "
        f"Last lines: {process.last_lines()}",
        field="model",
        mend="Try other model_parameters or another model.",
    )


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    try:
        np.savez(path, allow_pickle=False, **arrays)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StorageFull(
            f"no space left to write {path}", field=str(path), mend="Free some space and retry."
        ) from error


def _job_of_dataset(dataset: Dataset) -> dict[str, np.ndarray]:
    listed = dataset.item_attributes.get("topics")
    # Topics are separated by a space in RecBole's files.
    words = [] if listed is None else [" ".join(t.replace(" ", "_") for t in row) for row in listed]
    none = np.zeros(0, dtype=np.int64)
    return {
        "user": dataset.user,
        "item": dataset.item,
        "rating": dataset.rating,
        "timestamp": dataset.timestamp,
        "n_users": np.array(dataset.n_users),
        "n_items": np.array(dataset.n_items),
        "topics": np.array(words or [""] * dataset.n_items),
        "seen_user": none,
        "seen_item": none,
    }


def _job_of_training(base: CandidateSet, train: Interactions) -> dict[str, np.ndarray]:
    names = np.array([name.replace(" ", "_") for name in base.catalogue.topic_names])
    seen = train.plus(base.valid)
    return {
        "user": train.user,
        "item": train.item,
        "rating": train.rating,
        "timestamp": train.timestamp,
        "n_users": np.array(base.n_users),
        "n_items": np.array(base.n_items),
        "topics": np.array([" ".join(names[row]) for row in base.catalogue.topics] or [""]),
        "seen_user": seen.user,
        "seen_item": seen.item,
    }


def _part(dataset: Dataset, rows: BoolArray) -> Interactions:
    return Interactions.build(
        dataset.user[rows],
        dataset.item[rows],
        dataset.rating[rows],
        dataset.timestamp[rows],
        dataset.n_users,
        dataset.n_items,
    )
