"""Estimators that take a slate (or a single item) as one action.

Letters: ``w = π(a | x) / μ(a | x)``, the target policy's probability of what was shown over the
logging policy's; ``r`` what it earned; ``q`` a model's guess of ``r`` for what was shown, and
``v = E_π q`` its guess for what the target would show. All have shape ``(n,)``, and all functions
take O(n). Those marked *unbiased* are so where the logging policy can show all that the target
shows and its probabilities are exact.
"""

import numpy as np

from ...arrays import FloatArray
from .terms import Terms


def ips(w: FloatArray, r: FloatArray) -> Terms:
    """Inverse propensity scoring, mean of w r; unbiased.

    Horvitz & Thompson 1952, "A Generalization of Sampling Without Replacement From a Finite
    Universe"; Strehl, Langford, Li & Kakade 2010, "Learning from Logged Implicit Exploration Data".
    """
    return Terms.mean(w * r)


def clipped_ips(w: FloatArray, r: FloatArray, clip: float) -> Terms:
    """IPS with weights cut at ``clip``: less variance, and too low for rewards above 0.

    Ionides 2008, "Truncated Importance Sampling"; Bottou et al. 2013, "Counterfactual Reasoning
    and Learning Systems".
    """
    return Terms.mean(np.minimum(w, clip) * r)


def snips(w: FloatArray, r: FloatArray) -> Terms:
    """Self-normalised IPS, Σ w r / Σ w; consistent, and never outside the range of r.

    Swaminathan & Joachims 2015, "The Self-Normalized Estimator for Counterfactual Learning".
    """
    return Terms.ratio(w * r, w)


def dm(v: FloatArray) -> Terms:
    """Direct method, mean of v: as good as the model, whatever was logged.

    Beygelzimer & Langford 2009, "The Offset Tree for Learning with Partial Labels".
    """
    return Terms.mean(v)


def dr(w: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray) -> Terms:
    """Doubly robust, mean of v + w (r − q); unbiased for any model that did not see r.

    Dudík, Langford & Li 2011, "Doubly Robust Policy Evaluation and Learning".
    """
    return Terms.mean(v + w * (r - q))


def sndr(w: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray) -> Terms:
    """Doubly robust with a self-normalised correction, mean of v plus Σ w (r − q) / Σ w.

    Thomas & Brunskill 2016, "Data-Efficient Off-Policy Policy Evaluation for Reinforcement
    Learning" (weighted doubly robust).
    """
    return Terms.mean(v).plus(Terms.ratio(w * (r - q), w))


def switch_dr(w: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray, tau: float) -> Terms:
    """Doubly robust that leaves weights above ``tau`` to the model.

    Wang, Agarwal & Dudík 2017, "Optimal and Adaptive Off-policy Evaluation in Contextual Bandits".
    """
    return Terms.mean(v + np.where(w <= tau, w, 0.0) * (r - q))


def dr_os(w: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray, shrinkage: float) -> Terms:
    """Doubly robust with optimistic shrinkage, w → λ w / (w² + λ).

    λ = 0 is the direct method, λ → ∞ is doubly robust. Su, Dimakopoulou, Krishnamurthy & Dudík
    2020, "Doubly Robust Off-Policy Evaluation with Shrinkage".
    """
    # Not by λ w / (w² + λ): for w = 0 and λ = 0 that is 0 / 0, and w² may overflow.
    shrunk = w / (1.0 + w * (w / shrinkage)) if shrinkage > 0.0 else np.zeros_like(w)
    return Terms.mean(v + shrunk * (r - q))
