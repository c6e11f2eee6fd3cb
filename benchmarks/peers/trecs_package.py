"""The real T-RECS package (Lucherini et al. 2021; PyPI ``trecs``), in a process of its own.

What it needs today, and why it is kept apart:

- ``trecs.models`` imports ``lenskit.algorithms.als`` for its matrix factorisation, from a LensKit
  of 2020 that no longer installs. Nothing here uses that model; an empty stand-in lets the import
  pass.
- Importing it opens a log file in the working directory, so it runs in a temporary one.
- ``run`` warns where no measurement is defined. None is, because measuring would cost it time;
  that warning alone is silenced.

One thread, as ours; seconds are processor seconds of the child, its imports and first step left
out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import types
import warnings
from pathlib import Path
from typing import Any

N_ATTRIBUTES = 20
"""Of users and items in the timings; the package's default of 1,000 would be slower."""

WAYS = ("random slates", "scores of its content filtering")
"""How the package makes slates in `trecs_rates`."""


def trecs_rate(n_users: int, n_items: int, k: int, steps: int) -> float:
    """User-steps per second of the package's quickest way to run a simulation.

    A step is what its ``run`` does: recommend ``k`` items to every user, let every user choose one,
    and note it in the recommender. Nothing is trained or measured between steps, items may repeat,
    and users do not drift, which would have it compute all scores anew at each step. The slates are
    random (``startup=True``, which skips ranking) or the best by given profiles (content filtering
    that is never trained); the quicker of the two counts.
    """
    return max(trecs_rates(n_users, n_items, k, steps)[way] for way in WAYS)


def trecs_rates(
    n_users: int, n_items: int, k: int, steps: int, drift: float = 0.0
) -> dict[str, Any]:
    """User-steps per second for each of `WAYS`, and of ``users alone``.

    ``users alone`` is given the slates: its users' choice and, with drift, the turn of their
    profiles and the scores that follow. That is what an environment alone does.
    """
    sizes = {"n_users": n_users, "n_items": n_items, "k": k, "steps": steps, "drift": drift}
    return _in_a_process("rates", **sizes)


def trecs_choices(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the package's users choose of given slates, one slate after the other.

    Args:
        cases: Each with ``profiles`` ``(U, A)``, ``attributes`` ``(I, A)``, the item indices of
            ``slates`` ``(S, U, k)``, as lists; ``drift``, ``attention_exp``, and ``repeat``:
            whether users choose an item again.

    Returns:
        For each case the ``items`` ``(S, U)`` and the ``profiles`` ``(U, A)`` at the end.
    """
    return _in_a_process("choices", cases=cases)


def _in_a_process(job: str, **arguments: Any) -> Any:
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), job],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, **dict.fromkeys(threads, "1")},
        )
    if done.returncode != 0:
        raise RuntimeError(f"T-RECS failed:\n{done.stderr}")
    return json.loads(done.stdout)


def _stand_in_for_lenskit() -> None:
    for name in ("lenskit", "lenskit.algorithms", "lenskit.algorithms.als"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["lenskit.algorithms.als"].ImplicitMF = object  # pyright: ignore[reportAttributeAccessIssue]  a base class is looked up there
    sys.modules["lenskit.algorithms"].als = sys.modules["lenskit.algorithms.als"]  # pyright: ignore[reportAttributeAccessIssue]  a module that is made here


def _rates(n_users: int, n_items: int, k: int, steps: int, drift: float) -> dict[str, float]:
    import numpy as np
    from trecs.components import Users
    from trecs.models import ContentFiltering

    rng = np.random.default_rng(0)
    profiles = rng.normal(size=(n_users, N_ATTRIBUTES))
    attributes = rng.integers(0, 2, (N_ATTRIBUTES, n_items)).astype(float)
    attributes[0, attributes.sum(axis=0) == 0] = 1.0  # drift divides by an item's length
    rates: dict[str, float] = {}
    for way in WAYS:
        model = ContentFiltering(
            user_representation=rng.normal(size=profiles.shape),
            item_representation=attributes,
            actual_user_representation=Users(actual_user_profiles=profiles, drift=drift),
            num_items_per_iter=k,
            seed=0,
        )
        how = {
            "startup": way == WAYS[0],
            "train_between_steps": False,
            "repeated_items": True,
            "disable_tqdm": True,
        }
        model.run(timesteps=1, **how)
        start = time.process_time()
        model.run(timesteps=steps, **how)
        rates[way] = n_users * steps / (time.process_time() - start)
    slates = rng.integers(0, n_items, (steps, n_users, k))
    users = Users(actual_user_profiles=profiles, drift=drift)
    users.compute_user_scores(attributes)
    users.get_user_feedback(slates[0])
    start = time.process_time()
    for shown in slates:
        _one_step(users, shown, attributes)
    rates["users alone"] = n_users * steps / (time.process_time() - start)
    return rates


def _one_step(users: Any, slates: Any, attributes: Any) -> Any:
    """What ``run`` has users do at a step: choose, turn, and score all items anew."""
    chosen = users.get_user_feedback(slates)
    if users.drift > 0:
        users.update_profiles(attributes.T[chosen, :])
        users.compute_user_scores(attributes)
    return chosen


def _choices(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    import numpy as np
    from trecs.components import Users

    out: list[dict[str, Any]] = []
    for case in cases:
        items = np.array(case["attributes"]).T
        users = Users(
            actual_user_profiles=np.array(case["profiles"]),
            drift=case["drift"],
            attention_exp=case["attention_exp"],
            repeat_interactions=case["repeat"],
        )
        users.compute_user_scores(items)
        chosen = [_one_step(users, np.array(shown), items).tolist() for shown in case["slates"]]
        out.append({"items": chosen, "profiles": users.actual_user_profiles.value.tolist()})
    return out


if __name__ == "__main__":
    _stand_in_for_lenskit()
    warnings.filterwarnings("ignore", message="No measurements are currently defined")
    print(json.dumps({"rates": _rates, "choices": _choices}[sys.argv[1]](**json.load(sys.stdin))))
