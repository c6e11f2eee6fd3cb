"""EASE in closed form, without RecBole: for tests and small data."""

import numpy as np
import scipy.sparse as sp

from ..arrays import FloatArray


def ease_weights(interactions: sp.csr_matrix, reg_weight: float = 250.0) -> FloatArray:
    """Item-to-item weights of EASE.

    With ``P = (XᵀX + λI)⁻¹``, the weights are ``B = I − P · diag(P)⁻¹``: zero on the diagonal,
    ``−P_ij / P_jj`` elsewhere (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data",
    WWW 2019, equation 8).

    Args:
        interactions: Ones where user and item met, shape ``(U, I)``.
        reg_weight: λ, above 0.

    Returns:
        Shape ``(I, I)``, float32; scores are ``interactions @ weights``.
    """
    gram = (interactions.T @ interactions).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += reg_weight
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)
