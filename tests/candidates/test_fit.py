"""The RecBole worker: its results, and how its failures look."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.artifact import load_candidates, save_candidates
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.ease import ease_weights
from fairloop.candidates.fit import RecBoleWorker, fit_candidates
from fairloop.candidates.groups import AttributeGroups, GroupsConfig
from fairloop.candidates.recbole_worker import serve
from fairloop.candidates.worker_process import WorkerProcess
from fairloop.errors import InvalidValue, MissingColumn, StorageFull, WorkerFailed
from fairloop.metrics.accuracy import hit, ndcg, precision, recall, reciprocal_rank, relevance_of


def our_metrics(candidates):
    users = np.arange(candidates.n_users)
    held = candidates.heldout
    relevance, n_relevant = relevance_of(
        candidates.items[:, :10], users, held.user, held.item, candidates.n_items
    )
    named = {
        "ndcg@10": ndcg,
        "recall@10": recall,
        "hit@10": hit,
        "mrr@10": reciprocal_rank,
        "precision@10": precision,
    }
    return {name: float(np.nanmean(f(relevance, n_relevant))) for name, f in named.items()}


# EASE with RecBole's defaults on ml-100k: RO split 8:1:1 per user, full ranking, seed 2020.
def test_ease_on_movielens_reaches_the_known_figures(movielens_ease):
    metrics = movielens_ease.metrics
    assert metrics["ndcg@10"] == pytest.approx(0.3295, abs=5e-5)
    assert metrics["recall@10"] == pytest.approx(0.2805, abs=5e-5)
    assert metrics["hit@10"] == pytest.approx(0.8197, abs=5e-5)


def test_our_metrics_on_the_exported_lists_equal_recboles(movielens_ease):
    ours = our_metrics(movielens_ease)
    assert ours == pytest.approx(movielens_ease.metrics, abs=1e-6)


def test_every_interaction_is_in_one_split(movielens, movielens_ease):
    parts = (movielens_ease.train, movielens_ease.valid, movielens_ease.heldout)
    together = parts[0].plus(parts[1]).plus(parts[2])
    key = np.sort(together.user * movielens.n_items + together.item)
    assert np.array_equal(key, np.sort(movielens.user * movielens.n_items + movielens.item))
    share = parts[0].counts_per_user() / together.counts_per_user()
    assert 0.75 < share.min() <= share.max() < 0.88


def test_pools_of_movielens_are_full_and_unseen(movielens_ease):
    assert movielens_ease.items.shape == (943, 100)
    assert (movielens_ease.items != PAD).all()
    for part in (movielens_ease.train, movielens_ease.valid):
        assert not part.contains(np.arange(943), movielens_ease.items).any()


def test_exported_weights_are_ease_and_add_up_to_the_scores(movielens_ease):
    ours = ease_weights(movielens_ease.train.matrix())
    theirs = movielens_ease.item_weights.dense
    np.testing.assert_allclose(theirs, ours, atol=2e-4)
    rows = movielens_ease.train.matrix() @ theirs
    listed = np.take_along_axis(rows, movielens_ease.items, axis=1)
    np.testing.assert_allclose(listed, movielens_ease.scores, atol=1e-4)


def test_movielens_candidates_survive_storage(movielens_ease, tmp_path):
    back = load_candidates(save_candidates(movielens_ease, tmp_path))
    assert back.metrics == movielens_ease.metrics
    assert our_metrics(back) == our_metrics(movielens_ease)
    assert back.lineage["packages"]["recbole"] == "1.2.1"


def test_equal_seeds_give_equal_results_and_others_another_split(worker, small):
    one = worker.fit(small, CandidateConfig(model="BPR", epochs=2, top_n=10))
    two = worker.fit(small, CandidateConfig(model="BPR", epochs=2, top_n=10))
    other = worker.fit(small, CandidateConfig(model="BPR", epochs=2, top_n=10, seed=1))
    np.testing.assert_array_equal(one.items, two.items)
    np.testing.assert_array_equal(one.scores, two.scores)
    assert not np.array_equal(one.heldout.item, other.heldout.item)


def test_embeddings_are_in_our_order(worker, small):
    fitted = worker.fit(small, CandidateConfig(model="BPR", epochs=2, top_n=10))
    assert fitted.user_embeddings.shape[0] == small.n_users
    scores = fitted.user_embeddings @ fitted.item_embeddings.T
    listed = np.take_along_axis(scores, fitted.items, axis=1)
    np.testing.assert_allclose(listed, fitted.scores, atol=1e-5)
    assert fitted.item_weights is None


def test_early_stopping_keeps_the_best_epoch(worker, small):
    # The learning rate is absurd, so that later epochs are worse than the best one.
    parameters = {"learning_rate": 0.5, "stopping_step": 3}
    config = CandidateConfig(model="BPR", epochs=30, top_n=10, model_parameters=parameters)
    reported = []
    fitted = worker.fit(small, config, progress=lambda done, total: reported.append((done, total)))
    assert reported[0] == (1, 30)
    best = len(reported) - 4  # RecBole stops at the fourth epoch in a row without a gain
    assert 1 <= best < 26
    until_best = worker.fit(small, config.model_copy(update={"epochs": best}))
    np.testing.assert_array_equal(fitted.items, until_best.items)
    assert our_metrics(fitted) == pytest.approx(fitted.metrics, abs=1e-6)


@pytest.mark.parametrize("model", ["Pop", "ItemKNN", "LightGCN", "MultiVAE", "NeuMF"])
def test_models_of_every_kind_agree_with_recboles_own_evaluation(worker, small, model):
    fitted = worker.fit(small, CandidateConfig(model=model, epochs=1, top_n=10))
    # Popularity has many ties, which the two sides may break in another order.
    tolerance = 0.02 if model in ("Pop", "ItemKNN") else 1e-6
    assert our_metrics(fitted) == pytest.approx(fitted.metrics, abs=tolerance)


def test_item_knn_explains_its_scores(worker, small):
    fitted = worker.fit(small, CandidateConfig(model="ItemKNN", top_n=10))
    for user in range(5):
        parts = fitted.item_weights.contributions(fitted.history(user), fitted.items[user])
        np.testing.assert_allclose(parts.sum(axis=0), fitted.scores[user], atol=1e-4)


def test_a_chronological_split_holds_the_latest_out(worker, small):
    fitted = worker.fit(small, CandidateConfig(split="chronological", top_n=10))
    for user in range(small.n_users):
        train, held = (
            part.timestamp[part.indptr[user] : part.indptr[user + 1]]
            for part in (fitted.train, fitted.heldout)
        )
        assert train.max() <= held.min()


@pytest.mark.parametrize("model", ["GRU4Rec", "FPMC"])
def test_sequential_models_propose_to_every_user(worker, small, model):
    config = CandidateConfig(
        model=model,
        split="chronological",
        epochs=1,
        top_n=10,
        model_parameters={"MAX_ITEM_LIST_LENGTH": 8},
    )
    fitted = worker.fit(small, config)
    assert (fitted.items != PAD).all()
    assert len(fitted.train) + len(fitted.valid) + len(fitted.heldout) == len(small)
    assert not fitted.valid.contains(np.arange(small.n_users), fitted.items).any()


def test_sequential_models_read_what_recbole_would_give_them():
    """The rows made here for every user equal RecBole's own for each user's first test row."""
    script = """
import os, sys, tempfile, warnings
warnings.simplefilter("ignore"); os.chdir(tempfile.mkdtemp()); sys.argv = [""]
from pathlib import Path
import numpy as np
from fairloop.candidates import recbole_shim; recbole_shim.apply()
from fairloop.candidates import recbole_job as job_module
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import _job_of_dataset, _save
from fairloop.candidates.recbole_data import JobData, split_codes
from fairloop.candidates.recbole_score import Fitted, Histories
from fairloop.candidates.synthetic import synthetic_dataset
_save(Path("in.npz"), _job_of_dataset(synthetic_dataset(n_users=40, n_items=300)))
job = JobData.load(Path("in.npz"))
config = CandidateConfig(model="GRU4Rec", split="chronological", epochs=1,
                         model_parameters={"MAX_ITEM_LIST_LENGTH": 20})
settings, dataset = job_module._load(job, config, Path("a").resolve())
built = dataset.build()
user_of, item_of = job_module._id_maps(job, dataset)
codes = split_codes(job, built, user_of, item_of)
rows = Histories(Fitted(None, built[0], user_of, item_of, True), job, codes < 2)
rows = rows.rows(np.arange(40))
test = built[2].inter_feat
compared = 0
for row in range(40):
    user = int(rows["user_id"][row])
    own = [i for i in range(len(test)) if int(test["user_id"][i]) == user]
    first = min(own, key=lambda i: float(test["timestamp"][i]))
    for field in ("item_id_list", "timestamp_list", "rating_list", "item_length"):
        assert np.array_equal(rows[field][row].numpy(), test[field][first].numpy()), field
    compared += 1
print(compared)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout.strip() == "40", run.stderr[-2000:]


def test_a_refit_on_the_same_data_gives_the_same_pools(worker, movielens_ease):
    again = worker.refit(movielens_ease, movielens_ease.train)
    np.testing.assert_array_equal(again.items, movielens_ease.items)
    assert again.heldout is movielens_ease.heldout
    assert again.metrics == {}


def test_a_refit_learns_from_appended_interactions_and_never_proposes_them(worker, small):
    base = worker.fit(small, CandidateConfig(top_n=20))
    users = np.arange(base.n_users)
    clicked = base.items[:, 0]
    grown = base.train.plus(
        type(base.train).build(
            users,
            clicked,
            np.ones(len(users)),
            np.full(len(users), 2e9),
            base.n_users,
            base.n_items,
        )
    )
    again = worker.refit(base, grown, top_n=30)
    assert again.items.shape == (base.n_users, 30)
    assert not grown.contains(users, again.items).any()
    assert not base.valid.contains(users, again.items).any()
    expected = grown.matrix() @ ease_weights(grown.matrix())
    listed = np.take_along_axis(expected, again.items, axis=1)
    np.testing.assert_allclose(listed, again.scores, atol=1e-3)


def test_a_refit_on_another_data_set_is_refused(worker, small, movielens_ease):
    base = worker.fit(small, CandidateConfig(top_n=20))
    with pytest.raises(InvalidValue):
        worker.refit(base, movielens_ease.train)


def test_a_group_without_its_column_is_named(worker, small):
    groups = GroupsConfig(items=(AttributeGroups(attribute="studio"),))
    with pytest.raises(MissingColumn, match="studio"):
        worker.fit(small, CandidateConfig(top_n=10), groups)


def test_an_error_inside_recbole_is_told_and_the_process_lives_on(worker, small):
    # GRU4RecCPR looks at the 100 best items, and there are 80.
    with pytest.raises(WorkerFailed, match="GRU4RecCPR: RuntimeError"):
        worker.fit(small, CandidateConfig(model="GRU4RecCPR", split="chronological", epochs=1))
    assert worker.fit(small, CandidateConfig(top_n=5)).items.shape == (60, 5)


def test_a_fit_that_takes_too_long_is_ended_and_the_next_one_works(small):
    with RecBoleWorker() as fresh:
        with pytest.raises(WorkerFailed, match=r"within 0\.05 seconds"):
            fresh.fit(small, CandidateConfig(timeout_seconds=0.05))
        assert fresh.fit(small, CandidateConfig(top_n=5)).items.shape == (60, 5)
        folder = fresh._process.folder
        assert folder.is_dir()
    assert not folder.exists()


def test_a_process_that_dies_is_told_with_its_exit_code(small):
    def kill(done: int, total: int) -> None:
        (child,) = children_of(os.getpid(), "recbole_worker")
        os.kill(child, signal.SIGKILL)

    config = CandidateConfig(model="BPR", epochs=300, top_n=5)
    with RecBoleWorker() as fresh, pytest.raises(WorkerFailed, match="exit code -9"):
        fresh.fit(small, config, progress=once(kill))


def once(function):
    called = []

    def first_time(*args):
        if not called:
            called.append(args)
            function(*args)

    return first_time


def children_of(parent: int, name: str) -> list[int]:
    """Children of a process whose command line holds a name; the last started one only."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    ppid = int(stat.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{entry}/cmdline") as command:
                    line = command.read()
            except OSError:
                continue
            if ppid == parent and name in line:
                found.append(int(entry))
    return sorted(found)[-1:]


def test_a_module_that_cannot_start_is_told_with_its_last_lines():
    with (
        WorkerProcess("fairloop.candidates.no_such_worker") as process,
        pytest.raises(WorkerFailed, match="No module named"),
    ):
        process.ask({"kind": "fit"}, timeout_seconds=30)


def test_a_full_disk_is_told_as_such(small, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with RecBoleWorker() as fresh, monkeypatch.context() as patched:
        patched.setattr(np, "savez", full)
        with pytest.raises(StorageFull):
            fresh.fit(small)


@pytest.mark.parametrize(("code", "error"), [(errno.ENOSPC, StorageFull), (None, WorkerFailed)])
def test_a_full_disk_inside_the_process_is_told_as_such(small, monkeypatch, code, error):
    answer = {"event": "error", "type": "OSError", "message": "no space", "errno": code}
    monkeypatch.setattr(WorkerProcess, "ask", lambda *args: answer)
    with RecBoleWorker() as fresh, pytest.raises(error):
        fresh.fit(small)


def test_the_process_answers_an_error_with_its_kind_and_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers = []
    serve({"kind": "fit", "config": {}, "input": "absent.npz", "output": "out"}, answers.append)
    (answer,) = answers
    assert (answer["event"], answer["type"]) == ("error", "FileNotFoundError")
    assert answer["errno"] == errno.ENOENT
    assert list(tmp_path.iterdir()) == []


def test_one_call_fits_in_its_own_process(small, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["prog", "--model=Pop", "--nonsense"])
    fitted = fit_candidates(small, CandidateConfig(top_n=5))
    assert fitted.config.model == "EASE"
    assert fitted.item_weights is not None  # Pop has none: RecBole did not read our arguments
    assert list(tmp_path.iterdir()) == []  # and wrote nothing here
