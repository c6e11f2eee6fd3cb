import numpy as np
from fairloop.candidates.history import AFFINITY, TASTE, topic_history
from fairloop.candidates.interactions import Interactions

TOPICS = np.array([[True, False], [False, True], [True, True], [False, False]])


def of(user: list[int], item: list[int], rating: list[float], n_users: int = 3) -> Interactions:
    return Interactions.build(
        np.array(user, int),
        np.array(item, int),
        np.array(rating, float),
        np.arange(len(user)),
        n_users,
        len(TOPICS),
    )


def test_who_met_and_liked_a_topic_more_than_others_leans_to_it() -> None:
    train = of([0] * 4 + [1] * 4, [0, 0, 2, 1, 1, 1, 2, 0], [5, 5, 4, 1, 5, 5, 4, 1])
    history = topic_history(train, TOPICS)
    assert history.shape == (3, 2, 2) and history.dtype == np.float32
    for row in (AFFINITY, TASTE):
        assert history[0, row, 0] > 0 > history[0, row, 1]
        assert history[1, row, 1] > 0 > history[1, row, 0]
    assert not history[2].any()  # of whom nothing is known


def test_by_hand() -> None:
    """One user, two ratings of 1 and 5 on the first topic: everything is as usual."""
    history = topic_history(of([0, 0], [0, 0], [1, 5], n_users=1), TOPICS)
    np.testing.assert_allclose(history, 0.0, atol=1e-6)


def test_ratings_that_are_all_alike_tell_no_taste_and_no_data_tells_nothing() -> None:
    alike = topic_history(of([0, 1], [0, 1], [3, 3]), TOPICS)
    assert alike[:, AFFINITY].any() and not alike[:, TASTE].any()
    assert not topic_history(of([], [], []), TOPICS).any()
