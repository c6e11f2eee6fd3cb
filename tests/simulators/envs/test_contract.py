"""What every registered environment must keep; a new id is held to it by being registered."""

import subprocess
import sys
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
import pytest
from fairloop.errors import InvalidValue
from fairloop.simulators.envs import ENVIRONMENTS, register
from fairloop.simulators.envs.sb3 import make_sb3
from fairloop.simulators.envs.single import TaskEnv
from fairloop.simulators.envs.vector import TaskVectorEnv
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation, RecordEpisodeStatistics
from gymnasium.wrappers import vector as vector_wrappers
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

SEED, STEPS = 11, 40
ROWS = np.array([5, 0, 2, 7])
Step = tuple[bytes, float, bool, bool]


@pytest.fixture(params=sorted(ENVIRONMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def actions_of(name: str, row: int, n: int = STEPS) -> list[np.ndarray]:
    """What is done at a row's own steps, the same in every API."""
    space = gymnasium.spec(name).make().action_space
    space.seed(row)
    return [space.sample() for _ in range(n)]


def life(name: str, row: int, seed: int = SEED) -> list[Step]:
    """Observations, rewards and ends of one row, over as many episodes as ``STEPS`` are."""
    env = gymnasium.make(name, row=row)
    seen, _ = env.reset(seed=seed)
    lived: list[Step] = [(seen.tobytes(), 0.0, False, False)]
    for action in actions_of(name, row):
        seen, reward, left, ended, _ = env.step(action)
        lived.append((seen.tobytes(), float(reward), left, ended))
        if left or ended:
            seen, _ = env.reset()
            lived.append((seen.tobytes(), 0.0, False, False))
    return lived


def lives_in_vector(name: str, rows: np.ndarray, mode: AutoresetMode) -> list[list[Step]]:
    """The same of every row of a native vector environment, whatever its automatic resets."""
    env = gymnasium.make_vec(name, len(rows), rows=rows, autoreset_mode=mode)
    seen, _ = env.reset(seed=SEED)
    lived: list[list[Step]] = [[(s.tobytes(), 0.0, False, False)] for s in seen]
    todo = [iter(actions_of(name, row)) for row in rows.tolist()]
    idle = env.single_action_space.sample()
    over = np.zeros(len(rows), np.bool_)
    for _ in range(STEPS):
        skipped = over & (mode is AutoresetMode.NEXT_STEP)
        act = [idle if s else next(t) for s, t in zip(skipped, todo, strict=True)]
        seen, reward, left, ended, infos = env.step(np.array(act))
        over = left | ended
        for i, row in enumerate(lived):
            last = seen[i]
            if over[i] and mode is AutoresetMode.SAME_STEP:
                last = infos["final_obs"][i]
            row.append((last.tobytes(), float(reward[i]), bool(left[i]), bool(ended[i])))
        if over.any() and mode is not AutoresetMode.NEXT_STEP:
            if mode is AutoresetMode.DISABLED:
                seen, _ = env.reset(options={"reset_mask": over})
            for i in np.flatnonzero(over).tolist():
                lived[i].append((seen[i].tobytes(), 0.0, False, False))
    return lived


def lives_in_sb3(name: str, rows: np.ndarray) -> list[list[Step]]:
    venv = make_sb3(name, len(rows), rows=rows)
    venv.seed(SEED)
    lived: list[list[Step]] = [[(s.tobytes(), 0.0, False, False)] for s in venv.reset()]
    todo = [iter(actions_of(name, row)) for row in rows.tolist()]
    for _ in range(STEPS):
        seen, reward, done, infos = venv.step(np.array([next(t) for t in todo]))
        for i, row in enumerate(lived):
            cut = bool(infos[i].get("TimeLimit.truncated", False))
            last = infos[i]["terminal_observation"] if done[i] else seen[i]
            row.append((last.tobytes(), float(reward[i]), bool(done[i]) and not cut, cut))
            if done[i]:
                row.append((seen[i].tobytes(), 0.0, False, False))
    return lived


def same(one: list[Step], other: list[Step]) -> bool:
    """Equal as far as both go; NEXT_STEP spends some of its steps on resets."""
    n = min(len(one), len(other))
    return n > STEPS * 0.8 and one[:n] == other[:n]


def test_checkers_have_nothing_to_say(name: str) -> None:
    env = gymnasium.make(name)
    check_env(env.unwrapped)
    check_env_for_sb3(env.unwrapped)


def test_ids_need_no_argument_and_no_import_of_ours() -> None:
    code = (
        "import gymnasium, sys, fairloop.simulators\n"
        "assert not [n for n in gymnasium.registry if n.startswith('fairloop')]\n"
        "from importlib import import_module\n"
        "names = list(import_module('fairloop.simulators.envs').ENVIRONMENTS)\n"
        "for name in names: del gymnasium.registry[name]\n"
        "del sys.modules['fairloop.simulators.envs']\n"
        "for name in names:\n"
        "    gymnasium.make('fairloop.simulators.envs:' + name).reset(seed=0)\n"
        "    gymnasium.make_vec('fairloop.simulators.envs:' + name, 3).reset(seed=0)\n"
        "assert 'torch' not in sys.modules and 'stable_baselines3' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_registering_twice_is_harmless_and_make_vec_is_native(name: str) -> None:
    register()
    env = gymnasium.make_vec(name, num_envs=3)
    assert isinstance(env.unwrapped, TaskVectorEnv)
    assert isinstance(gymnasium.make(name).unwrapped, TaskEnv)
    assert env.num_envs == 3 and env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert env.single_observation_space == gymnasium.make(name).observation_space


def test_a_seed_decides_everything(name: str) -> None:
    first = life(name, 0)
    assert first == life(name, 0)
    assert first != life(name, 0, seed=SEED + 1)
    env, action = gymnasium.make(name), actions_of(name, 0)[0]
    episodes = []
    for seed in (SEED, None, SEED, None):
        env.reset(seed=seed)
        episodes.append(float(env.step(action)[1]))
    assert episodes[:2] == episodes[2:]


def test_a_row_is_the_same_in_every_api_and_batch(name: str) -> None:
    alone = {row: life(name, row) for row in ROWS.tolist()}
    ended = {(left, cut) for lived in alone.values() for _, _, left, cut in lived}
    assert (True, True) not in ended and ended != {(False, False)}
    more = np.array([3, 7, 1, 0, 6, 2, 5])
    modes = (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED)
    batches = [
        (rows, lives_in_vector(name, rows, mode))
        for rows, mode in zip((more, ROWS, ROWS[:1]), modes, strict=True)
    ]
    batches.append((ROWS[::-1], lives_in_sb3(name, ROWS[::-1])))
    for rows, lives in batches:
        for row, lived in zip(rows.tolist(), lives, strict=True):
            assert row not in alone or same(alone[row], lived), (rows, row)


def test_a_user_in_several_rows_shares_its_episodes_out(name: str) -> None:
    """Two rows of user 0 live through the episodes 0 and 1, then 2 and 3."""
    env, act = gymnasium.make(name), actions_of(name, 0)[0]
    env.reset(seed=SEED)
    firsts = []
    for _ in range(4):
        firsts.append(float(env.step(act)[1]))
        env.reset()
    twice = gymnasium.make_vec(name, 2, rows=np.zeros(2, int))
    for episode in (0, 2):
        twice.reset(seed=SEED if episode == 0 else None)
        assert twice.step(np.array([act, act]))[1].tolist() == firsts[episode : episode + 2]


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_infos_and_resets_are_those_of_gymnasium(name: str, mode: AutoresetMode) -> None:
    """Its own ``SyncVectorEnv`` over single users returns the same, infos included."""
    rows = ROWS.tolist()
    native = gymnasium.make_vec(name, len(rows), rows=ROWS, autoreset_mode=mode)
    peer = SyncVectorEnv(
        [lambda row=row: gymnasium.make(name, row=row) for row in rows], autoreset_mode=mode
    )
    native.action_space.seed(3)
    reset = native.reset(seed=SEED)
    assert_equal(reset, peer.reset(seed=[SEED] * len(rows)))
    ends = 0
    for _ in range(STEPS):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), peer.step(actions)
        assert_equal(ours, theirs)
        assert not (ours[2] & ours[3]).any()
        ends += int((ours[2] | ours[3]).sum())
    assert ends > 4


def assert_equal(ours: Any, theirs: Any) -> None:
    """Equal values; Gymnasium widens float32 facts to the Python number's type."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            assert_equal(ours[key], theirs[key])
    elif isinstance(theirs, tuple):
        for one, other in zip(ours, theirs, strict=True):
            assert_equal(one, other)
    elif theirs.dtype == object:
        assert data_equivalence(ours, theirs, exact=True)
    else:
        np.testing.assert_array_equal(ours, theirs)


def test_what_was_returned_is_not_changed_later(name: str) -> None:
    env = gymnasium.make_vec(name, 6, autoreset_mode="SameStep")
    returned: list[Any] = [env.reset(seed=SEED)]
    copies = [deepcopy(returned[0])]
    for _ in range(STEPS):
        returned.append(env.step(env.action_space.sample()))
        copies.append(deepcopy(returned[-1]))
    assert data_equivalence(returned, copies, exact=True)


def test_spaces_hold_what_is_seen(name: str) -> None:
    env = gymnasium.make_vec(name, 8)
    seen, _ = env.reset(seed=0)
    for _ in range(STEPS):
        assert seen.dtype == np.float32 and env.observation_space.contains(seen)
        seen, reward, left, ended, _ = env.step(env.action_space.sample())
        assert reward.dtype == np.float64 and left.dtype == ended.dtype == np.bool_


def test_an_episode_must_begin_before_it_goes_on(name: str) -> None:
    env = gymnasium.make(name).unwrapped
    action = actions_of(name, 0)[0]
    with pytest.raises(InvalidValue, match="reset"):
        env.step(action)
    env.reset(seed=0)
    while not any(env.step(action)[2:4]):
        pass
    with pytest.raises(InvalidValue, match="reset"):
        env.step(action)


def test_without_automatic_resets_an_end_must_be_answered(name: str) -> None:
    env = gymnasium.make_vec(name, 5, autoreset_mode=AutoresetMode.DISABLED)
    act = env.action_space.sample()
    with pytest.raises(InvalidValue, match="reset_mask"):
        env.step(act)
    env.reset(seed=0)
    over = np.zeros(5, np.bool_)
    while not over.any():
        seen, _, left, ended, _ = env.step(act)
        over = left | ended
    with pytest.raises(InvalidValue, match=f"{over.sum()} rows"):
        env.step(act)
    again, infos = env.reset(options={"reset_mask": over})
    np.testing.assert_array_equal(infos["_day"], over)
    np.testing.assert_array_equal(again[~over], seen[~over])
    env.step(act)
    for mask in (over[:2], over.astype(int), np.zeros(5, np.bool_), [True] * 5):
        with pytest.raises(InvalidValue, match="reset_mask"):
            env.reset(options={"reset_mask": mask})
    with pytest.raises(InvalidValue, match="seed"):
        env.reset(seed=1, options={"reset_mask": np.ones(5, np.bool_)})


def test_rows_and_modes_that_cannot_be_are_refused(name: str) -> None:
    for wrong in (
        {"num_envs": 0},
        {"num_envs": 2, "rows": np.arange(3)},
        {"num_envs": 1, "rows": np.array([10**6])},
        {"num_envs": 1, "autoreset_mode": "sometimes"},
    ):
        with pytest.raises(InvalidValue):
            gymnasium.make_vec(name, **wrong)
    with pytest.raises(InvalidValue):
        gymnasium.make(name, row=-1)


def test_episode_returns_add_up_in_every_recorder(name: str) -> None:
    rows, expected = ROWS.tolist(), {}
    for row in rows:
        rewards = [(r, left or cut) for _, r, left, cut in life(name, row)]
        end = next(i for i, (_, over) in enumerate(rewards) if over)
        expected[row] = sum(r for r, _ in rewards[: end + 1]), end  # the first is a reset
    env = RecordEpisodeStatistics(gymnasium.make(name, row=rows[0]))
    env.reset(seed=SEED)
    for action in actions_of(name, rows[0]):
        *_, left, cut, info = env.step(action)
        if left or cut:
            break
    assert info["episode"]["r"] == pytest.approx(expected[rows[0]][0])
    assert info["episode"]["l"] == expected[rows[0]][1]
    for mode in ("SameStep", "NextStep"):
        many = vector_wrappers.RecordEpisodeStatistics(
            gymnasium.make_vec(name, len(rows), rows=ROWS, autoreset_mode=mode)
        )
        many.reset(seed=SEED)
        found = {}
        for act in zip(*(actions_of(name, row) for row in rows), strict=True):
            *_, infos = many.step(np.array(act))
            for i in np.flatnonzero(infos.get("_episode", np.zeros(4))).tolist():
                found.setdefault(rows[i], (infos["episode"]["r"][i], infos["episode"]["l"][i]))
        assert_same_returns(found, expected)
    venv = VecMonitor(make_sb3(name, len(rows), rows=ROWS))
    venv.seed(SEED)
    venv.reset()
    found = {}
    for act in zip(*(actions_of(name, row) for row in rows), strict=True):
        *_, infos = venv.step(np.array(act))
        for row, info in zip(rows, infos, strict=True):
            if "episode" in info:
                found.setdefault(row, (info["episode"]["r"], info["episode"]["l"]))
    assert_same_returns(found, expected)


def assert_same_returns(found: dict[int, Any], expected: dict[int, Any]) -> None:
    for row, (total, length) in expected.items():
        assert found[row][0] == pytest.approx(total, rel=1e-5)
        assert found[row][1] == length


def test_observations_can_be_normalised(name: str) -> None:
    one = NormalizeObservation(gymnasium.make(name))
    many = vector_wrappers.NormalizeObservation(gymnasium.make_vec(name, 8))
    for env in (one, many):
        env.reset(seed=0)
        assert np.isfinite(env.step(env.action_space.sample())[0]).all()
    venv = VecNormalize(make_sb3(name, 8))
    venv.reset()
    for _ in range(STEPS):
        seen, *_ = venv.step(np.array([venv.action_space.sample() for _ in range(8)]))
    assert np.isfinite(seen).all() and np.abs(seen.mean()) < 2


def test_sb3_starts_over_from_a_seed(name: str) -> None:
    venv = make_sb3(name, 8)
    act = np.array([venv.action_space.sample() for _ in range(8)])
    rewards = []
    for seed in (3, None, 3, None):
        if seed is not None:
            venv.seed(seed)
        venv.reset()
        rewards.append(venv.step(act)[1].tolist())
    assert rewards[:2] == rewards[2:] and rewards[0] != rewards[1]
