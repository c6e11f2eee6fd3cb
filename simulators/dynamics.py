"""The equations of user behaviour: pure functions over arrays, each with its source.

Shapes: ``U`` users, ``k`` positions, ``T`` topics, ``N`` pool columns. ``topics`` (U, k, T) holds
each shown item's topic shares (rows sum to 1, or to 0 for an item without topics). Time is in
days. Log-odds are added up first and turned into probabilities once.

Sources:
    Joachims, Swaminathan & Schnabel 2017, "Unbiased learning-to-rank with biased feedback".
    Singh & Joachims 2018, "Fairness of exposure in rankings".
    Leqi, Kilinc-Karzan, Lipton & Montgomery 2021, "Rebounding bandits for modeling satiation
    effects".
    Ma, Liu & Shen 2016, "User fatigue in online news recommendation".
    Lee, Lakshmanan, Tiwari & Shah 2014, "Modeling impression discounting in large-scale
    recommender systems".
    Anderson, Kumar, Tomkins & Vassilvitskii 2014, "The dynamics of repeat consumption".
    Jiang, Chiappa, Lattimore, György & Kohli 2019, "Degenerate feedback loops in recommender
    systems".
    Hohnhold, O'Brien & Tang 2015, "Focusing on the long-term: it's good for users and business".
    Kapoor, Sun, Srivastava & Ye 2014, "A hazard based approach to user return time prediction".
"""

import numpy as np

from ..arrays import BoolArray, FloatArray

_LARGEST = np.float32(80.0)  # exp(80) still fits float32


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), without overflow in float32."""
    negated = np.minimum(-log_odds, _LARGEST)
    np.exp(negated, out=negated)
    negated += np.float32(1.0)
    return np.reciprocal(negated, out=negated)


def log_odds(probability: FloatArray | float) -> FloatArray:
    """The inverse of ``sigmoid``."""
    p = np.asarray(probability, dtype=np.float64)
    return np.log(p / (1.0 - p)).astype(np.float32)


def examination(k: int, position_bias: float) -> FloatArray:
    """Probability that each position is looked at, shape ``(k,)``; the first is always.

    (1 / log2(j + 1)) ** position_bias: the propensity form of Joachims et al. 2017 over the
    discount that measures exposure (Singh & Joachims 2018).
    """
    return (1.0 / np.log2(np.arange(2, k + 2)) ** position_bias).astype(np.float32)


def topic_effect(per_topic: FloatArray, topics: FloatArray) -> FloatArray:
    """Σ_t per_topic · topics for every shown item, shape ``(U, k)``."""
    return np.einsum("ut,ukt->uk", per_topic, topics)


def satiation(load: FloatArray, strength: FloatArray, threshold: float) -> FloatArray:
    """Log-odds lost per topic (Leqi et al. 2021, with a threshold), shape ``(U, T)``, ≥ 0.

    Args:
        load: Decayed clicks per topic, shape ``(U, T)``.
        strength: Log-odds per click beyond the threshold, shape ``(U,)``.
        threshold: Clicks that do not satiate yet.
    """
    return np.maximum(load - np.float32(threshold), np.float32(0.0)) * strength[:, None]


def decay(days: FloatArray, half_life: float) -> FloatArray:
    """What is left of a decaying quantity after ``days``, shape of ``days``."""
    return np.exp2(days * np.float32(-1.0 / half_life))


def consumed_topics(weights: FloatArray, topics: FloatArray) -> FloatArray:
    """Σ_j weights_j · topics_j: what a slate's clicks were about, shape ``(U, T)``."""
    return np.einsum("uk,ukt->ut", weights, topics)


def drifted(
    drift: FloatArray, enjoyed: FloatArray, usual: FloatArray, rate: FloatArray
) -> FloatArray:
    """Interest after a visit: topics enjoyed more than usual rise, the others fall.

    drift + rate · (enjoyed / Σ enjoyed − usual − drift) where something was enjoyed (Jiang et
    al. 2019: interest reinforces with consumption), per topic.

    Args:
        drift: Interest relative to the start, shape ``(U, T)``.
        enjoyed: Satisfaction of this visit by topic, shape ``(U, T)``, ≥ 0.
        usual: Topic shares of the data, shape ``(T,)``.
        rate: Share of the way, shape ``(U,)``.
    """
    total = enjoyed.sum(axis=1, keepdims=True)
    target = enjoyed / np.maximum(total, np.float32(1e-6)) - usual
    step = np.where(total > 0, rate[:, None], np.float32(0.0))
    return drift + step * (target - drift)


def noisy_satisfaction(mean: FloatArray, uniform: FloatArray, noise: float) -> FloatArray:
    """Satisfaction drawn around its mean, within [0, 1] and with exactly that mean.

    mean + noise · (2u − 1) · min(mean, 1 − mean).
    """
    room = np.minimum(mean, np.float32(1.0) - mean)
    return mean + np.float32(noise) * (np.float32(2.0) * uniform - np.float32(1.0)) * room


def experience(satisfaction: FloatArray, clicks: BoolArray) -> FloatArray:
    """How a visit felt: mean satisfaction of what was clicked, 0 without a click; shape ``(U,)``.

    Args:
        satisfaction: Satisfaction, 0 where not clicked, shape ``(U, k)``.
        clicks: Shape ``(U, k)``.
    """
    return satisfaction.sum(axis=1) / np.maximum(clicks.sum(axis=1, dtype=np.float32), 1.0)


def leaving_probability(
    mood: FloatArray, base_rate: float, sensitivity: FloatArray, reference: float
) -> FloatArray:
    """Probability of leaving for good after a visit (Hohnhold et al. 2015), shape ``(U,)``.

    The base rate at the reference mood; a better mood lowers it.
    """
    return sigmoid(log_odds(base_rate) - sensitivity * (mood - np.float32(reference)))


def return_hazard(
    mood: FloatArray, mean_days: float, sensitivity: FloatArray, reference: float
) -> FloatArray:
    """Daily probability of coming back (Kapoor et al. 2014), shape ``(U,)``.

    1 / mean_days at the reference mood; a better mood raises it.
    """
    return sigmoid(log_odds(1.0 / mean_days) + sensitivity * (mood - np.float32(reference)))


def days_until_return(hazard: FloatArray, uniform: FloatArray) -> FloatArray:
    """Whole days (≥ 1) until the next visit: geometric, by inversion of one uniform."""
    survived = np.log(np.float32(1.0) - uniform)
    never = np.log1p(-np.minimum(hazard, np.float32(1.0 - 1e-6)))
    return np.float32(1.0) + np.floor(survived / np.minimum(never, np.float32(-1e-7)))
