"""What is repeated of somebody's words is bounded: in length, in characters, and in abuse."""

import pytest
from fairloop.explain.conversation import parse_utterance, reply_text
from fairloop.explain.echo import ABUSE, MAX_ECHO, echoed
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("stem", ABUSE)
def test_no_form_of_a_listed_word_is_repeated(stem):
    for word in (stem, stem.upper(), f"{stem}s", f"{stem.title()}er"):
        said = echoed(f"show me {word} films")
        assert stem not in said.casefold()
        assert said.startswith("show me ") and said.endswith(" films")


@pytest.mark.parametrize(
    "words",
    ["scunthorpe", "classic", "assassin", "cocktail", "analysis", "Dick Tracy", "Moby Dick"],
)
def test_words_that_only_hold_or_resemble_one_are_repeated(words):
    assert echoed(words) == words


@given(st.text(max_size=300))
def test_bounded_and_stable(text):
    said = echoed(text)
    assert len(said) <= MAX_ECHO and not set(said) & set('<>"\n\r\x00')
    assert echoed(said) == said


def test_a_reply_repeats_no_abuse(catalogue):
    """Through the whole reading of an utterance, in what was not understood."""
    turn = parse_utterance("zzyzx bullshit quux please", catalogue)
    assert turn.not_understood and "bullshit" not in str(turn.not_understood)
    reply = reply_text(turn, catalogue)
    assert "bullshit" not in reply and "b…" in reply
