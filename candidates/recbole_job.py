"""One fit inside the worker process: RecBole's data, model, training and evaluation."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from .config import CandidateConfig
from .interactions import Interactions
from .models import is_sequential
from .recbole_data import JobData, our_indices, split_codes, write_job_files
from .recbole_left_out import items_to_try, left_out
from .recbole_parts import embeddings, item_weights
from .recbole_score import Fitted, score_top_n, scores_all_items
from .recbole_settings import DATASET_NAME, recbole_settings, users_per_batch

Report = Callable[[int, int], None]


def run_fit(job: JobData, config: CandidateConfig, folder: Path, report: Report) -> dict[str, Any]:
    """Split, fit, evaluate and score, with RecBole's own split and evaluation.

    Returns:
        Arrays to hand back (``split``, ``items``, ``scores`` and those of ``_extras``) and
        ``metrics``, RecBole's own test measures.
    """
    settings, dataset = _load(job, config, folder)
    built = dataset.build()
    codes = split_codes(job, built, *_id_maps(job, dataset))
    train_data, valid_data, test_data = _loaders(settings, dataset, built)
    trainer = _trainer(settings, train_data)
    _fit(trainer, train_data, valid_data, report)
    metrics = trainer.evaluate(test_data, load_best_model=False, show_progress=False)
    fitted = _fitted(trainer.model, train_data._dataset, job, config)
    known = codes < 2
    seen = _pairs(job.user[known], job.item[known], job)
    items, scores = score_top_n(fitted, job, known, seen, config.top_n)
    pools = {"items": items, "scores": scores}
    return {
        "arrays": {"split": codes} | pools | _extras(fitted, job, config, codes == 0, known, pools),
        "metrics": {name: float(value) for name, value in metrics.items()},
    }


def run_refit(
    job: JobData, config: CandidateConfig, folder: Path, report: Report
) -> dict[str, Any]:
    """Fit on all given interactions, for all epochs, and score; nothing is evaluated."""
    settings, dataset = _load(job, config, folder)
    train_data = _train_loader(settings, dataset)
    trainer = _trainer(settings, train_data)
    _fit(trainer, train_data, None, report)
    fitted = _fitted(trainer.model, train_data._dataset, job, config)
    known = np.ones(len(job.user), dtype=bool)
    seen = _pairs(job.seen_user, job.seen_item, job)
    items, scores = score_top_n(fitted, job, known, seen, config.top_n)
    pools = {"items": items, "scores": scores}
    return {
        "arrays": pools | _extras(fitted, job, config, known, known, pools),
        "metrics": {},
    }


def _load(job: JobData, config: CandidateConfig, folder: Path) -> tuple[Any, Any]:
    """Write the atomic files and let RecBole read them."""
    from recbole.config import Config
    from recbole.data import create_dataset
    from recbole.utils import get_model, init_seed

    write_job_files(job, folder)
    settings = recbole_settings(config, job.n_items)
    settings["data_path"] = str(folder)
    settings["checkpoint_dir"] = str(folder / "saved")
    recbole_config = Config(model=config.model, dataset=DATASET_NAME, config_dict=settings)
    if scores_all_items(get_model(config.model)):
        # The loader of general models divides this by the catalogue to get users per batch.
        n_rows = 1024 if is_sequential(config.model) else users_per_batch(job.n_items) * job.n_items
        recbole_config["eval_batch_size"] = n_rows + job.n_items
    init_seed(config.seed, reproducibility=True)
    return recbole_config, create_dataset(recbole_config)


def _loaders(settings: Any, dataset: Any, built: list[Any]) -> Any:
    """RecBole's own preparation, on splits that are already made."""
    from recbole.data import data_preparation

    dataset.build = lambda: built
    return data_preparation(settings, dataset)


def _train_loader(settings: Any, dataset: Any) -> Any:
    """RecBole's preparation without a split: all interactions are for training."""
    from recbole.data.utils import create_samplers, get_dataloader

    dataset._change_feat_format()
    dataset._drop_unused_col()
    sampler, _, _ = create_samplers(settings, dataset, [dataset, dataset, dataset])
    loader: Any = get_dataloader(settings, "train")  # one class per kind of model
    return loader(settings, dataset, sampler, shuffle=True)


def _trainer(settings: Any, train_data: Any) -> Any:
    from recbole.utils import get_model, get_trainer, init_seed

    init_seed(settings["seed"], settings["reproducibility"])
    model = get_model(settings["model"])(settings, train_data._dataset).to(settings["device"])
    return get_trainer(settings["MODEL_TYPE"], settings["model"])(settings, model)


def _fit(trainer: Any, train_data: Any, valid_data: Any, report: Report) -> None:
    """Train with early stopping; the best state is kept in memory.

    RecBole would write it to a checkpoint that torch 2.6 and later refuse to load.
    """
    best: dict[str, Any] = {}
    train_epoch = trainer._train_epoch
    epochs = max(int(trainer.epochs), 1)

    def epoch_with_report(data: Any, epoch: int, *args: Any, **kwargs: Any) -> Any:
        loss = train_epoch(data, epoch, *args, **kwargs)
        best["last"] = epoch
        report(epoch + 1, epochs)
        return loss

    def keep(epoch: int, *args: Any, **kwargs: Any) -> None:
        best["epoch"] = epoch
        if epochs > 1:
            best["state"] = copy.deepcopy(trainer.model.state_dict())
            best["other"] = copy.deepcopy(trainer.model.other_parameter())

    trainer._train_epoch = epoch_with_report
    trainer._save_checkpoint = keep
    trainer.fit(train_data, valid_data, verbose=False, saved=True, show_progress=False)
    if "state" in best and best["epoch"] != best.get("last"):
        trainer.model.load_state_dict(best["state"])
        trainer.model.load_other_parameter(best["other"])
    trainer.model.eval()


def _fitted(model: Any, dataset: Any, job: JobData, config: CandidateConfig) -> Fitted:
    user_of, item_of = _id_maps(job, dataset)
    return Fitted(model, dataset, user_of, item_of, is_sequential(config.model))


def _id_maps(job: JobData, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    return (
        our_indices(dataset, dataset.uid_field, job.n_users),
        our_indices(dataset, dataset.iid_field, job.n_items),
    )


def _pairs(user: np.ndarray, item: np.ndarray, job: JobData) -> sp.csr_matrix:
    ones = np.ones(len(user), dtype=np.float32)
    return sp.csr_matrix((ones, (user, item)), shape=(job.n_users, job.n_items))


def _extras(
    fitted: Fitted,
    job: JobData,
    config: CandidateConfig,
    learned: np.ndarray,
    known: np.ndarray,
    pools: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """What says where scores came from, and embeddings, as arrays by name.

    Args:
        fitted: The model.
        job: The data.
        config: What was asked for.
        learned: Rows that it was fitted on, shape ``(R,)``, bool.
        known: Rows that a sequential model reads at scoring, shape ``(R,)``, bool.
        pools: Its proposals, ``items`` and ``scores``.
    """
    arrays: dict[str, np.ndarray] = {}
    train = _interactions(job, learned)
    weights = None if fitted.sequential else item_weights(fitted, job, train.matrix())
    if weights is not None:
        arrays |= weights.to_arrays()
    else:
        tried = items_to_try(config.leave_one_out, job.n_users)
        left = left_out(fitted, job, train, known, pools["items"], pools["scores"], tried)
        arrays |= {} if left is None else left.to_arrays()
    user, item = embeddings(fitted)
    if user is not None:
        arrays["user_embeddings"] = user
    if item is not None:
        arrays["item_embeddings"] = item
    return arrays


def _interactions(job: JobData, rows: np.ndarray) -> Interactions:
    return Interactions.build(
        job.user[rows],
        job.item[rows],
        job.rating[rows],
        job.timestamp[rows],
        job.n_users,
        job.n_items,
    )
