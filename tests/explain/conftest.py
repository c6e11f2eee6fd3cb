from collections.abc import Callable

import numpy as np
import pytest
from fairloop.candidates.catalogue import Catalogue, Groups
from fairloop.explain.evidence import Evidence, ItemFacts, Link, Move, ScoreParts

TOPICS = ("Action", "Animation", "Children's", "Comedy", "Drama", "Film-Noir", "Horror", "Sci-Fi")
TITLES = (
    "Heat", "Casino", "GoldenEye", "Toy Story", "It", "The Game", "Se7en", "8 1/2", "M*A*S*H",
    "You Liked Drama", "Wallace & Gromit: The Best of", "2001: A Space Odyssey",
    "L'amour, toujours", "Amélie", "The Godfather (Part II)", "Who's Afraid? Nobody!", "Copycat",
    "1984",
)  # fmt: skip

MakeEvidence = Callable[[int], Evidence]


def make_evidence(seed: int) -> Evidence:
    """A varied evidence record that keeps every invariant of gathered ones."""
    rng = np.random.default_rng(seed)
    titles = rng.permutation(TITLES)

    def facts(place: int) -> ItemFacts:
        member = rng.random(len(TOPICS)) < 0.35
        tail = bool(rng.random() < 0.4)
        return ItemFacts(
            item_id=str(place),
            title=str(titles[place]),
            year=None if rng.random() < 0.1 else int(rng.integers(1930, 1999)),
            topics=tuple(t for t, m in zip(TOPICS, member, strict=True) if m),
            popularity_percentile=float(rng.uniform(0, 60) if tail else rng.uniform(80, 100)),
            long_tail=tail if rng.random() < 0.9 else None,
        )

    method = str(rng.choice(["item_weights", "embedding_cosine", "co_occurrence"]))
    rated = rng.random() < 0.7
    item = facts(0)
    shares = np.sort(rng.dirichlet(np.ones(12)))[::-1]
    links = tuple(
        Link(
            item=(other := facts(place + 1)),
            share=float(shares[place]),
            rating=float(rng.choice([4, 4.5, 5])) if rated else None,
            shared_topics=tuple(t for t in item.topics if t in other.topics),
        )
        for place in range(int(rng.integers(0, 4)))
    )
    moves = []
    if rng.random() < 0.6:
        tail_rule = rng.random() < 0.6
        moves.append(
            Move(
                rule="exposure",
                attribute="popularity" if tail_rule else "studio",
                group="long_tail" if tail_rule else "small studios",
                places=int(rng.choice([-2, 1, 2, 7])),
                exact=bool(rng.random() < 0.8),
            )
        )
    for rule in ("diversity", "state"):
        if rng.random() < 0.5:
            moves.append(Move(rule=rule, places=int(rng.choice([-1, 1, 5, 11]))))
    return Evidence(
        item=item,
        links=links,
        attribution=method,
        liked="rated_at_least_4" if rated else "all_history",
        n_liked=12,
        base_score=1.0,
        base_rank=int(rng.integers(1, 101)),
        pool_size=100,
        shown_rank=1,
        parts=ScoreParts(base=1.0),
        moves=tuple(moves),
    )


@pytest.fixture(scope="session")
def evidence_of() -> MakeEvidence:
    return make_evidence


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Twelve items with known titles, years, topics and popularity."""
    rows = [
        ("Toy Story", 1995, ("Animation", "Children's", "Comedy"), 450),
        ("Heat", 1995, ("Action", "Crime"), 220),
        ("Godfather, The", 1972, ("Crime", "Drama"), 410),
        ("Scream", 1996, ("Horror", "Thriller"), 300),
        ("Psycho", 1960, ("Horror", "Thriller"), 240),
        ("Dumb & Dumber", 1994, ("Comedy",), 70),
        ("Star Wars", 1977, ("Action", "Sci-Fi", "War"), 580),
        ("Sabrina", 1954, ("Comedy", "Romance"), 60),
        ("Sabrina", 1995, ("Comedy", "Romance"), 190),
        ("Unknown Year", np.nan, ("Drama",), 3),
        ("High Noon", 1952, ("Western",), 80),
        ("Titanic", 1997, ("Drama", "Romance"), 350),
    ]
    names = tuple(sorted({topic for row in rows for topic in row[2]}))
    popularity = np.array([row[3] for row in rows], dtype=float)
    return Catalogue(
        item_ids=np.array([f"i{n}" for n in range(len(rows))]),
        titles=np.array([row[0] for row in rows]),
        topics=np.array([[name in row[2] for name in names] for row in rows]),
        topic_names=names,
        year=np.array([row[1] for row in rows], dtype=float),
        popularity=popularity,
        groups={
            "popularity": Groups(
                "popularity", ("head", "long_tail"), (popularity < 300).astype(int)
            )
        },
    )
