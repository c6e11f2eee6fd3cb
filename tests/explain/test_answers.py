"""Answers say what the catalogue and the record hold, and nothing else."""

import numpy as np
from fairloop.explain.answers import (
    Placement,
    Shared,
    answer_compare,
    answer_describe,
    answer_why_not,
    answer_wishes,
)
from fairloop.explain.facts import CatalogueFacts
from hypothesis import given, settings
from hypothesis import strategies as st


def test_describing(catalogue):
    facts = CatalogueFacts(catalogue).of(3)
    told = answer_describe(facts, [Shared(title="Psycho", topics=("Horror", "Thriller"))])
    assert told.startswith('"Scream" (1996) is filed under Horror and Thriller.')
    assert 'It shares Horror and Thriller with "Psycho", which you know.' in told
    unknown = answer_describe(CatalogueFacts(catalogue).of(9))
    assert unknown.startswith('"Unknown Year" is filed under Drama.')


@settings(max_examples=80, deadline=None)
@given(one=st.integers(0, 11), other=st.integers(0, 11))
def test_comparisons_are_true(catalogue, one, other):
    facts = CatalogueFacts(catalogue)
    a, b = facts.of(one), facts.of(other)
    told = answer_compare(a, b)
    common = catalogue.topics[one] & catalogue.topics[other]
    assert ("Both are filed under" in told) == bool(common.any())
    assert ("is older than" in told) == (
        bool(np.isfinite(catalogue.year[[one, other]]).all())
        and catalogue.year[one] != catalogue.year[other]
    )
    if "is older than" in told:
        old, new = (one, other) if catalogue.year[one] < catalogue.year[other] else (other, one)
        first = f'"{facts.of(old).title}" ({facts.of(old).year}) is older than'
        assert f'{first} "{facts.of(new).title}"' in told
    if catalogue.popularity[one] > catalogue.popularity[other]:
        assert f'More people chose "{a.title}" than "{b.title}".' in told


def test_why_not(catalogue):
    item = CatalogueFacts(catalogue).of(1)
    assert "as number 2" in answer_why_not(item, Placement(shown_rank=2))
    both = answer_why_not(item, Placement(known=True, left_out_by=("no Crime",)))
    assert "you know it already" in both and "no Crime" in both
    assert "not among the 100 candidates" in answer_why_not(item, Placement(pool_size=100))
    ranked = answer_why_not(item, Placement(base_rank=37, pool_size=100, list_length=10))
    assert "number 37 of 100" in ranked and "shows 10" in ranked


def test_wishes():
    assert "no wishes" in answer_wishes(())
    assert "no Horror, from 1990 or later" in answer_wishes(("no Horror", "from 1990 or later"))
