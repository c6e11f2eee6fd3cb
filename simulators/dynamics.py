"""The equations of user behaviour: pure functions over arrays, each with its source.

Shapes: ``U`` users, ``k`` positions, ``T`` topics. ``topics`` (U, k, T) holds each shown item's
topic shares (rows sum to 1, or to 0 for an item without topics). Time is in
days. Log-odds are added up first and turned into probabilities once.

Choice has its own file, ``choice``.

Sources:
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
    Yin, Luo, Lee & Wang 2013, "Silence is also evidence: interpreting dwell time for
    recommendation from psychological perspective".
    Kim, Hassan, White & Zitouni 2014, "Modeling dwell time to predict click-level satisfaction".
    Ie et al. 2019, "RecSim: a configurable simulation platform for recommender systems".
"""

import numpy as np

from ..arrays import FloatArray

_ONE, _HALF = np.float32(1.0), np.float32(0.5)
LARGEST = np.float32(80.0)  # exp(80) still fits float32
LEAST = np.float32(1e-6)  # a sum of satisfaction that can be divided by
SURE, SELDOM = np.float32(1.0 - 1e-6), np.float32(1e-7)  # hazards are kept between them


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), without overflow in float32."""
    negated = np.negative(log_odds)
    np.minimum(negated, LARGEST, out=negated)
    np.exp(negated, out=negated)
    negated += _ONE
    return np.reciprocal(negated, out=negated)


def log_odds(probability: FloatArray | float) -> FloatArray:
    """The inverse of ``sigmoid``."""
    p = np.asarray(probability, dtype=np.float64)
    return np.log(p / (1.0 - p)).astype(np.float32)


def topic_effects(per_topic: FloatArray, topics: FloatArray) -> FloatArray:
    """Σ_t per_topic · topics for every shown item, from ``(U, 2, T)`` to ``(U, 2, k)``.

    Two quantities per topic at once: what moves click appeal, and what moves satisfaction.
    """
    return np.matmul(per_topic, topics.transpose(0, 2, 1))


def satiation(load: FloatArray, strength: FloatArray, threshold: float) -> FloatArray:
    """Log-odds lost per topic (Leqi et al. 2021, with a threshold), shape ``(U, T)``, ≥ 0.

    Args:
        load: Decayed clicks per topic, shape ``(U, T)``.
        strength: Log-odds per click beyond the threshold, shape ``(U,)``.
        threshold: Clicks that do not satiate yet.
    """
    lost = load - np.float32(threshold)
    np.maximum(lost, np.float32(0.0), out=lost)
    lost *= strength[:, None]
    return lost


def decay(days: FloatArray, half_life: float) -> FloatArray:
    """What is left of a decaying quantity after ``days``, shape of ``days``."""
    return np.exp2(days * np.float32(-1.0 / half_life))


def consumed_topics(weights: FloatArray, topics: FloatArray) -> FloatArray:
    """Σ_j weights_j · topics_j: what the clicks were about, ``(U, 2, k)`` to ``(U, 2, T)``."""
    return np.matmul(weights, topics)


def drift_step(
    drift: FloatArray, enjoyed: FloatArray, usual: FloatArray, rate: FloatArray
) -> FloatArray:
    """How interest moves in a visit: topics enjoyed more than usual rise, the others fall.

    rate · (enjoyed / Σ enjoyed − usual − drift), and 0 where nothing was enjoyed (Jiang et al.
    2019: interest reinforces with consumption), per topic, shape ``(U, T)``.

    Args:
        drift: Interest relative to the start, shape ``(U, T)``.
        enjoyed: Satisfaction of this visit by topic, shape ``(U, T)``, ≥ 0.
        usual: Topic shares of the data, shape ``(T,)``.
        rate: Share of the way, shape ``(U,)``.
    """
    total = np.add.reduce(enjoyed, 1)
    step = drift + usual
    step *= total[:, None]
    np.subtract(enjoyed, step, out=step)
    step *= (rate / np.maximum(total, LEAST))[:, None]
    return step


def noisy_satisfaction(mean: FloatArray, uniform: FloatArray, noise: float) -> FloatArray:
    """Satisfaction drawn around its mean, within [0, 1] and with exactly that mean.

    mean + noise · (2u − 1) · min(mean, 1 − mean).
    """
    drawn = uniform * np.float32(2.0 * noise)
    drawn -= np.float32(noise)
    drawn *= np.minimum(mean, _ONE - mean)
    drawn += mean
    return drawn


def experience(gained: FloatArray, clicks: FloatArray) -> FloatArray:
    """How a visit felt: mean satisfaction of what was clicked, 0 without a click; shape ``(U,)``.

    Args:
        gained: Sum of the satisfaction over the clicks, shape ``(U,)``.
        clicks: Number of clicks, shape ``(U,)``.
    """
    return gained / np.maximum(clicks, _ONE)


def mood_odds(
    mood: FloatArray, reference: float, base: FloatArray, sensitivity: FloatArray
) -> FloatArray:
    """Probabilities that follow from mood: a base rate at the reference mood, and a slope.

    σ(logit(base) + sensitivity · (mood − reference)): leaving for good, which a better mood makes
    rarer (a negative sensitivity; Hohnhold et al. 2015); coming back on any day (Kapoor et al.
    2014) and asking for another slate (Ie et al. 2019), which it makes likelier.

    Args:
        mood: Shape ``(U,)``.
        reference: Mood at which the base rates hold.
        base: Log-odds at the reference mood, shape ``(n, 1)``.
        sensitivity: Log-odds per unit of mood, shape ``(n, U)``.

    Returns:
        Shape ``(n, U)``.
    """
    return sigmoid(base + sensitivity * (mood - np.float32(reference)))


def days_until_return(hazard: FloatArray, uniform: FloatArray) -> FloatArray:
    """Whole days (≥ 1) until the next visit: geometric, by inversion of one uniform."""
    survived = np.log(_ONE - uniform)
    never = np.log1p(-np.minimum(hazard, SURE))
    days = np.floor(survived / np.minimum(never, -SELDOM))
    days += _ONE
    return days


def dwell_minutes(
    satisfaction: FloatArray, noise: FloatArray, minutes: float, gain: float, spread: float
) -> FloatArray:
    """Minutes on a clicked item (log-normal, Yin et al. 2013), longer when it satisfies.

    minutes · exp(gain · (satisfaction − 1/2) + spread · noise); Kim et al. 2014 find that satisfied
    clicks dwell longer.

    Args:
        satisfaction: In [0, 1], any shape.
        noise: Standard normal, the same shape.
        minutes: Median at satisfaction 1/2.
        gain: Log minutes per unit of satisfaction.
        spread: Standard deviation of log minutes.
    """
    log_ratio = np.float32(gain) * (satisfaction - _HALF) + np.float32(spread) * noise
    return np.float32(minutes) * np.exp(log_ratio)
