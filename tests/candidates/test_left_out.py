"""Leave-one-out attribution: what a model answers when an item of the history is left out."""

import os
import subprocess
import sys

import numpy as np
import pytest
from fairloop.arrays import PAD
from fairloop.candidates.artifact import load_candidates, save_candidates
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.left_out import LeftOut, keep_largest, losses_in_pool
from fairloop.candidates.recbole_left_out import items_to_try
from fairloop.errors import InvalidValue
from hypothesis import given
from hypothesis import strategies as st


@given(
    seed=st.integers(0, 10**6),
    shift=st.floats(-100, 100),
    n_candidates=st.integers(1, 12),
    n_tried=st.integers(1, 8),
)
def test_losses_are_against_the_pool_and_the_largest_are_kept(seed, shift, n_candidates, n_tried):
    rng = np.random.default_rng(seed)
    full, without = rng.normal(size=n_candidates), rng.normal(size=(n_tried, n_candidates))
    valid = rng.random(n_candidates) < 0.8
    lost = losses_in_pool(full, without, valid)
    np.testing.assert_allclose(lost.sum(axis=1), 0, atol=1e-9)
    assert (lost[:, ~valid] == 0).all()
    # What all candidates lose alike changes no order.
    np.testing.assert_allclose(losses_in_pool(full, without - shift, valid), lost, atol=1e-9)
    tried = rng.permutation(100)[:n_tried]
    items, losses = keep_largest(tried, lost, kept=3)
    for column in range(n_candidates):
        slow = sorted(zip(lost[:, column], tried, strict=True), key=lambda pair: -pair[0])[:3]
        slow = [(loss, item) for loss, item in slow if loss > 0]
        assert list(items[column]) == [item for _, item in slow] + [PAD] * (3 - len(slow))
        np.testing.assert_allclose(losses[column, : len(slow)], [loss for loss, _ in slow])
        assert (losses[column, len(slow) :] == 0).all()


def test_weights_are_found_by_item():
    items = np.array([[[7, 3], [3, PAD], [PAD, PAD]]])
    losses = np.array([[[2.0, 1.0], [5.0, 0.0], [0.0, 0.0]]], np.float32)
    pool, history = np.array([20, 21, PAD]), np.array([3, 9, 7])
    found = LeftOut(items, losses, 50).weights(0, pool, history, np.array([21, 99, 20]))
    np.testing.assert_array_equal(found, [[5, 0, 1], [0, 0, 0], [0, 0, 2]])


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(InvalidValue, match="left_out"):
        LeftOut(np.zeros((1, 2, 3), np.int32), np.zeros((1, 2, 4)), 50)


_ORACLE = """
import os, sys, tempfile, warnings
warnings.simplefilter("ignore"); os.chdir(tempfile.mkdtemp()); sys.argv = [""]
from pathlib import Path
import numpy as np
from fairloop.arrays import PAD
from fairloop.candidates import recbole_shim; recbole_shim.apply()
from fairloop.candidates import recbole_job as job_module
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import _job_of_dataset, _save
from fairloop.candidates.recbole_data import JobData
from fairloop.candidates.recbole_score import predict, score_blocks, user_rows
from fairloop.candidates.synthetic import synthetic_dataset
model, split, longest = "{model}", "{split}", {longest}
_save(Path("in.npz"), _job_of_dataset(synthetic_dataset(n_users=30, n_items=60)))
job = JobData.load(Path("in.npz"))
parameters = dict(MAX_ITEM_LIST_LENGTH=longest) if split == "chronological" else dict()
config = CandidateConfig(model=model, split=split, epochs=2, top_n=10, model_parameters=parameters)
kept = dict()
def keep(fitted, job, config, learned, known, pools):
    kept.update(fitted=fitted, learned=learned, known=known)
    return extras(fitted, job, config, learned, known, pools)
extras, job_module._extras = job_module._extras, keep
arrays = job_module.run_fit(job, config, Path("a").resolve(), lambda done, total: None)["arrays"]
fitted = kept["fitted"]
def without(user, item):
    "All scores of a user whose interaction with the item never was."
    gone = (job.user == user) & (job.item == item)
    assert gone.sum() == 1
    if fitted.sequential:
        return next(score_blocks(fitted, job, kept["known"] & ~gone))[1][user]
    values, row = fitted.model.history_item_value, fitted.internal_user[user]
    place = fitted.model.history_item_id[row] == fitted.internal_item[item]
    place &= values[row] > 0
    values[row, place] = 0
    scores = predict(fitted, user_rows(fitted, np.array([user])))[0, fitted.internal_item]
    values[row, place] = 1
    return scores
compared = 0
for user in range(0, 30, 5):
    asked = kept["known"] if fitted.sequential else kept["learned"]
    rows = np.flatnonzero(asked & (job.user == user))
    read = job.item[rows[np.argsort(job.timestamp[rows], kind="stable")]][-longest:]
    if fitted.sequential and len(rows) > longest:
        continue  # without one of the latest an earlier one would be read
    pool = arrays["items"][user]
    lost = arrays["scores"][user] - np.array([without(user, item)[pool] for item in read])
    lost -= lost.mean(axis=1, keepdims=True)
    for column in range(10):
        order = np.argsort(-lost[:, column])[:6]
        order = order[lost[order, column] > 0]
        items = arrays["left_out_items"][user, column]
        losses = arrays["left_out_losses"][user, column]
        assert (items != PAD).sum() == len(order)
        assert np.allclose(losses[: len(order)], lost[order, column], atol=1e-5), (user, column)
        compared += len(order)
print(compared)
"""


@pytest.mark.parametrize(
    ("model", "split", "longest"), [("MultiVAE", "random", 50), ("GRU4Rec", "chronological", 50)]
)
def test_losses_equal_those_of_a_history_without_the_item(model, split, longest):
    script = _ORACLE.format(model=model, split=split, longest=longest)
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # small work; more would wait for each other
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=one_thread
    )
    assert run.stdout.strip().isdigit(), run.stderr[-2000:]
    assert int(run.stdout) > 100


def test_stored_and_read_again(worker, small, tmp_path):
    fitted = worker.fit(small, CandidateConfig(model="MultiDAE", epochs=1, top_n=10))
    assert fitted.item_weights is None and fitted.left_out.tried == 50
    again = load_candidates(save_candidates(fitted, tmp_path))
    np.testing.assert_array_equal(again.left_out.items, fitted.left_out.items)
    np.testing.assert_array_equal(again.left_out.losses, fitted.left_out.losses)
    read = fitted.left_out.items
    for user in range(small.n_users):
        assert set(read[user][read[user] != PAD]) <= set(fitted.history(user))
    refitted = worker.refit(fitted, fitted.train)
    assert refitted.left_out.items.shape == fitted.left_out.items.shape


@pytest.mark.parametrize("model", ["EASE", "BPR", "NeuMF"])
def test_models_that_cannot_be_asked_have_none(worker, small, model):
    fitted = worker.fit(small, CandidateConfig(model=model, epochs=1, top_n=10))
    assert fitted.left_out is None


def test_how_many_are_tried_is_bounded_and_can_be_said(worker, small):
    assert [items_to_try(None, n) for n in (1, 10_000, 20_000, 100_000, 100_001)] == [
        50, 50, 25, 5, 0,
    ]  # fmt: skip
    assert items_to_try(3, 10**9) == 3
    config = CandidateConfig(model="MultiDAE", epochs=1, top_n=10)
    three = worker.fit(small, config.model_copy(update={"leave_one_out": 3}))
    assert three.left_out.tried == 3
    for user in range(small.n_users):
        named = three.left_out.items[user]
        assert set(named[named != PAD]) <= set(three.history(user)[-3:])
    assert worker.fit(small, config.model_copy(update={"leave_one_out": 0})).left_out is None
