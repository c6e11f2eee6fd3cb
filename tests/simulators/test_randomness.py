import numpy as np
import pytest
from fairloop.simulators import randomness as r


def test_hash_is_splitmix64() -> None:
    """First outputs of SplitMix64 with state 0, as published with the reference code."""
    zero = np.zeros(3, np.uint64)
    expected = np.array([0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F], np.uint64)
    np.testing.assert_array_equal(r.derive(zero, np.arange(3)), expected)


def test_a_users_keys_do_not_depend_on_the_batch() -> None:
    alone = r.stream_keys(7, r.CHOICES, np.array([42]))
    among = r.stream_keys(7, r.CHOICES, np.arange(100))
    assert alone[0] == among[42]
    assert len(np.unique(among)) == 100


def test_streams_and_seeds_differ() -> None:
    users = np.arange(10)
    keys = [r.stream_keys(seed, stream, users) for seed in (0, 1) for stream in (0, 1, 2, 3)]
    assert len(np.unique(np.concatenate(keys))) == 80


@pytest.mark.parametrize("which", [0, 1])
def test_uniforms_are_uniform(which: int) -> None:
    u = r.hashed(r.salts(np.arange(200_000)))[1][:, which]
    assert u.dtype == np.float32 and u.min() >= 0.0 and u.max() < 1.0
    counts = np.histogram(u, bins=20, range=(0, 1))[0]
    chi_square = ((counts - 10_000) ** 2 / 10_000).sum()
    assert chi_square < 43.8  # 99.9 % quantile with 19 degrees of freedom


def test_the_two_uniforms_of_a_key_are_uncorrelated() -> None:
    u = r.hashed(r.salts(np.arange(200_000)))[1]
    assert abs(np.corrcoef(u.T)[0, 1]) < 4 / 200_000**0.5


def test_the_first_of_them_is_the_one_that_a_key_gives_alone() -> None:
    keys, u = r.hashed(r.salts(np.arange(1000)))
    np.testing.assert_array_equal(u[:, 0], r.uniforms(keys))


def test_normals_have_the_moments_of_a_standard_normal() -> None:
    n = 200_000
    x = r.normals(r.derive(np.zeros(1, np.uint64), np.arange(n)))
    assert np.isfinite(x).all()
    assert abs(x.mean()) < 4 / n**0.5
    assert abs(x.var() - 1) < 4 * (2 / n) ** 0.5


def visits_of(seed: int, episode: int = 0) -> np.ndarray:
    """Both uniforms of 64 users at 64 visits with 64 items, as the engines draw them."""
    roots = r.stream_keys(seed, r.CHOICES, np.arange(64))
    keys = np.stack([r.visit_key(roots, np.full(64, episode), v) for v in range(64)], axis=1)
    return r.hashed(keys[:, :, None] + r.salts(np.arange(64)))[1].astype(float)


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["users", "visits", "items"])
@pytest.mark.parametrize("lag", [1, 2, 16])
def test_neighbours_have_independent_luck(axis: int, lag: int) -> None:
    """Pairs of nearby counters: uncorrelated, and uniform over the square."""
    u = visits_of(3)
    one, two = (np.take(u, range(*ends), axis) for ends in ((0, 64 - lag), (lag, 64)))
    n = one[..., 0].size
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        correlation = np.corrcoef(one[..., i].ravel(), two[..., j].ravel())[0, 1]
        assert abs(correlation) < 4.5 / n**0.5
    square = np.histogram2d(one[..., 0].ravel(), two[..., 0].ravel(), 16, [[0, 1], [0, 1]])[0]
    assert ((square - n / 256) ** 2 / (n / 256)).sum() < 365  # 99.999 %, 255 degrees of freedom


def test_episodes_and_seeds_have_independent_luck() -> None:
    u = visits_of(3)
    for other in (visits_of(3, episode=1), visits_of(4)):
        assert abs(np.corrcoef(u[..., 0].ravel(), other[..., 0].ravel())[0, 1]) < 4.5 / 64**1.5


def test_no_item_at_one_visit_has_the_luck_of_another_at_another() -> None:
    """The shortest a, b with a · NEXT_VISIT + b · GAMMA = 0 modulo 2^64 (Lagrange and Gauss)."""
    end, visit, item = 2**64, int(r.NEXT_VISIT), int(r.GAMMA)
    u, v = (1, -visit * pow(item, -1, end) % end), (0, end)
    while True:
        if u[0] ** 2 + u[1] ** 2 > v[0] ** 2 + v[1] ** 2:
            u, v = v, u
        length = u[0] ** 2 + u[1] ** 2
        times = (2 * (u[0] * v[0] + u[1] * v[1]) + length) // (2 * length)
        if times == 0:
            break
        v = (v[0] - times * u[0], v[1] - times * u[1])
    assert (u[0] * visit + u[1] * item) % end == 0
    assert u[0] ** 2 + u[1] ** 2 > (2**31) ** 2  # 900 episodes and a billion items apart


def test_the_end_of_a_visit_has_no_items_luck() -> None:
    """Counters from 2^40 meet those of a million items only 1,024 episodes later, or more."""
    apart = np.arange(2**40 - 2**20, 2**40 + 2, dtype=np.uint64)
    inverse = np.uint64(pow(int(r.NEXT_VISIT), -1, 2**64))
    visits = apart * r.GAMMA * inverse
    assert np.minimum(visits, np.uint64(0) - visits).min() > 2**30
