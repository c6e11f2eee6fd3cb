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
