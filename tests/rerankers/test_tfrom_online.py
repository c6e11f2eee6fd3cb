import numpy as np
import pytest
from fairloop.candidates.pools import CandidatePools
from fairloop.errors import InvalidValue
from fairloop.rerankers.amortised.state import merge
from fairloop.rerankers.order import serving_order
from fairloop.rerankers.relevance import relevance
from fairloop.rerankers.two_sided.tfrom_online import TFROMOnlineConfig, TFROMOnlineReranker
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import plain_tfrom


def columns(reranker, pools, k=5) -> list[list[int]]:
    return reranker.rerank(pools, k, np.random.default_rng(0)).columns.tolist()


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 8),
    ragged=st.booleans(),
    attribute=st.sampled_from(["popularity", "era"]),
    fairness=st.sampled_from(["uniform", "quality"]),
    strictness=st.sampled_from([0.0, 0.6, 1.0]),
)
def test_equals_the_plain_loop_call_after_call(
    make_pools, catalogue, knowledge, seed, k, ragged, attribute, fairness, strictness
) -> None:
    config = TFROMOnlineConfig(attribute=attribute, fairness=fairness, strictness=strictness)
    reranker = config.make(knowledge)
    codes = catalogue.groups[attribute].codes
    plain = plain_tfrom.OnlineTFROM(np.bincount(codes[codes >= 0]).tolist(), fairness, strictness)
    for call in range(2):
        pools = make_pools(20, 16, seed=seed + call, ragged=ragged)
        ours = columns(reranker, pools, k)
        gain = relevance(pools)
        for row in serving_order(pools.users, 20 * call).tolist():
            ok = pools.valid[row]
            expected = plain.serve(gain[row, ok].tolist(), codes[pools.items[row, ok]].tolist(), k)
            assert ours[row] == expected


def test_slates_by_hand(knowledge, catalogue) -> None:
    # Uniform shares are 0.2 for the head and 0.8 for the long tail; with k = 1 a slate hands out 1.
    head = int(np.flatnonzero(catalogue.groups["popularity"].codes == 0)[0])
    tail = int(np.flatnonzero(catalogue.groups["popularity"].codes == 1)[0])
    reranker = TFROMOnlineConfig().make(knowledge)
    shown = []
    for user in range(10):
        pools = CandidatePools(np.array([user]), np.array([[head, tail]]), np.array([[2.0, 1.0]]))
        shown.append(columns(reranker, pools, 1)[0][0])
    # The first user finds both above what is due (0.2 and 0.8) and gets the best. The next four
    # find the tail within it: 1 <= 1.6, 2 <= 2.4, 3 <= 3.2, 4 <= 4. The sixth again finds neither
    # (2 > 1.2 and 5 > 4.8), and so on: one in five.
    assert shown == [0, 1, 1, 1, 1, 0, 1, 1, 1, 1]


def test_exposure_converges_to_the_shares(make_pools, knowledge) -> None:
    reranker = TFROMOnlineConfig().make(knowledge)
    for call in range(6):
        columns(reranker, make_pools(100, 120, seed=call))
    state = reranker.controller.state()
    assert state.n_slates == 600
    assert sum(state.exposure) == pytest.approx(600)
    assert state.exposure[0] / 600 == pytest.approx(24 / 120, abs=0.005)


@pytest.mark.parametrize("fairness", ["uniform", "quality"])
def test_a_saved_state_goes_on_as_if_nothing_had_happened(make_pools, knowledge, fairness) -> None:
    config = TFROMOnlineConfig(fairness=fairness)
    one = config.make(knowledge)
    columns(one, make_pools(30, 20, seed=1))
    two = config.make(knowledge)
    two.controller.restore(one.controller.to_json())
    assert two.controller.state() == one.controller.state()
    pools = make_pools(30, 20, seed=2)
    assert columns(two, pools) == columns(one, pools)
    assert two.controller.to_json() == one.controller.to_json()


def test_one_call_with_many_users_is_many_calls(make_pools, knowledge) -> None:
    # More than a block of users, in the order in which one call serves them.
    pools = make_pools(300, 20)
    whole = TFROMOnlineConfig(fairness="quality").make(knowledge)
    at_once = columns(whole, pools)
    apart = TFROMOnlineConfig(fairness="quality").make(knowledge)
    for row in serving_order(pools.users, 0):
        assert columns(apart, pools.take(np.array([row])))[0] == at_once[row]
    assert apart.controller.to_json() == whole.controller.to_json()


def test_states_of_workers_add_up(make_pools, knowledge) -> None:
    def worker(seed: int, base: str | None = None) -> TFROMOnlineReranker:
        reranker = TFROMOnlineConfig(fairness="quality").make(knowledge)
        if base is not None:
            reranker.controller.restore(base)
        columns(reranker, make_pools(20, 16, seed=seed))
        return reranker

    one, two = worker(1).controller.state(), worker(2).controller.state()
    both = merge([one, two])
    assert both.n_slates == 40
    np.testing.assert_allclose(both.exposure, np.add(one.exposure, two.exposure))
    np.testing.assert_allclose(both.quality, np.add(one.quality, two.quality))
    base = worker(3).controller
    forked = worker(4, base.to_json()).controller.state()
    assert merge([forked], base.state()) == forked
    restored = worker(5, both.model_dump_json())
    assert restored.controller.n_slates == 60


def test_a_state_of_other_providers_is_refused(knowledge) -> None:
    text = TFROMOnlineConfig().make(knowledge).controller.to_json()
    for other in (TFROMOnlineConfig(attribute="era"), TFROMOnlineConfig(fairness="quality")):
        with pytest.raises(InvalidValue, match="expected"):
            other.make(knowledge).controller.restore(text)
    with pytest.raises(InvalidValue, match="not a state"):
        TFROMOnlineConfig().make(knowledge).controller.restore("{}")


@pytest.mark.parametrize("values", [{"strictness": -1}, {"fairness": "merit"}, {"first": "me"}])
def test_settings_out_of_range_are_refused(values) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        TFROMOnlineConfig(**values)
