"""Ratings and choices as a fit draws them, beside held-out ones."""

from dataclasses import dataclass, replace

import numpy as np

from ...arrays import FloatArray, IntArray
from ...candidates import tastes
from ...candidates.interactions import Interactions
from .click_table import sums
from .comparison import Figure
from .log_figures import DECILES, concentration
from .samples import (
    Sample,
    kolmogorov_smirnov,
    mean_difference,
    total_variation_of_ranks,
    wasserstein,
)
from .visit_figures import MIN_VALUES

MIN_RATINGS = 5
"""Held-out ratings of a user from which their mean is compared."""
LARGEST_DRAW = 2_000
"""Users whose choices are simulated, which bounds time and memory by their number times items."""
_LEVELS = 20
_BLOCK = 100  # users whose choices are drawn together


@dataclass(frozen=True, slots=True)
class RatingFit:
    """What ratings told.

    Attributes:
        model: Shrunk means.
        slopes: How far they hold on ratings not used for them.
        affinity: Log of how much more than usual each user meets each topic, shape ``(U, T)``.
        popularity: Ratings by item, shape ``(I,)``.
        levels: The ratings that can be given; empty where they are continuous.
    """

    model: tastes.RatingModel
    slopes: tastes.Slopes
    affinity: FloatArray
    popularity: FloatArray
    levels: FloatArray

    @classmethod
    def of(
        cls, train: Interactions, topics: FloatArray, shrinkage: float, seed: int
    ) -> "RatingFit":
        """Fit some ratings."""
        usual = tastes.usual_topics(train, topics)
        levels = np.unique(train.rating)
        rng = np.random.default_rng(seed)
        return cls(
            model=tastes.rating_model(train, topics, shrinkage),
            slopes=tastes.held_out_slopes(train, topics, shrinkage, rng),
            affinity=tastes.topic_affinity(train, topics, usual, shrinkage),
            popularity=train.counts_per_item().astype(np.float64),
            levels=levels if len(levels) <= _LEVELS else np.zeros(0),
        )

    def believed(
        self, train: Interactions, shrinkage: float, rng: np.random.Generator
    ) -> "RatingFit":
        """The fit with means and popularity drawn from what ratings leave open of them.

        A shrunk mean of n ratings has an error of residual / √(n + shrinkage); a popularity is
        a Gamma of its count.
        """
        residual, m = self.slopes.residual, self.model
        per_user, per_item = train.counts_per_user(), train.counts_per_item()
        level = residual / np.sqrt(per_user + shrinkage) * rng.standard_normal(len(per_user))
        quality = residual / np.sqrt(per_item + shrinkage) * rng.standard_normal(len(per_item))
        model = replace(m, quality=m.quality + quality, level=m.level + level)
        return replace(self, model=model, popularity=rng.gamma(self.popularity))

    def expected(self, user: IntArray, item: IntArray, topics: FloatArray) -> FloatArray:
        """Expected rating of each pair."""
        m, s = self.model, self.slopes
        liking = (m.taste[user] * topics[item]).sum(axis=1)
        return m.mean + m.level[user] + s.quality * m.quality[item] + s.taste * liking

    def drawn(self, expected: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Ratings around what is expected, on the levels that can be given."""
        rating = expected + self.slopes.residual * rng.standard_normal(len(expected))
        if len(self.levels) == 0:
            return rating
        middles = (self.levels[1:] + self.levels[:-1]) / 2
        return self.levels[np.searchsorted(middles, rating)]


def rating_figures(
    real: Interactions,
    fitted: RatingFit,
    topics: FloatArray,
    rng: np.random.Generator,
) -> list[Figure]:
    """Ratings of the held-out pairs, as they are and as the model draws them."""
    drawn = fitted.drawn(fitted.expected(real.user, real.item, topics), rng)
    decile = _popularity_deciles(fitted.popularity)
    known = decile[real.item] >= 0

    def by_decile(rating: FloatArray) -> Sample:
        return Sample(
            rating[known].astype(np.float64), real.user[known], decile[real.item[known]], DECILES
        )

    users = np.flatnonzero(real.counts_per_user() >= MIN_RATINGS)

    def by_user(rating: FloatArray) -> Sample:
        mean = sums(real.user, real.n_users, rating) / np.maximum(real.counts_per_user(), 1)
        return Sample.of_values(mean[users], users)

    figures = [
        Figure(
            name="rating_distribution",
            title="Rating distribution",
            axis="rating",
            unit="share of ratings",
            kind="distribution",
            real=Sample.of_values(real.rating, real.user),
            simulated=Sample.of_values(drawn, real.user),
            distance=wasserstein,
            distance_name="Wasserstein, rating points",
            remark="the model's noise is normal and alike for all",
        ),
        Figure(
            name="rating_by_item_decile",
            title="Mean rating by item decile",
            axis="tenth of the items, by ratings in the training part (1: fewest)",
            unit="rating points",
            kind="by group",
            real=by_decile(real.rating),
            simulated=by_decile(drawn),
            distance=mean_difference,
            distance_name="mean |difference|, rating points",
        ),
    ]
    if len(users) >= MIN_VALUES:
        figures.append(
            Figure(
                name="mean_rating_per_user",
                title="Mean rating per user",
                axis=f"mean of held-out ratings (users with {MIN_RATINGS} or more)",
                unit="share of users",
                kind="distribution",
                real=by_user(real.rating),
                simulated=by_user(drawn),
                distance=wasserstein,
                distance_name="Wasserstein, rating points",
                remark="users' levels are means of the training part that are not shrunk further",
            )
        )
    return figures


def choice_figures(
    train: Interactions,
    real: Interactions,
    fitted: RatingFit,
    topics: FloatArray,
    rng: np.random.Generator,
) -> list[Figure]:
    """What the held-out ratings are of, and what popularity and affinity would have chosen."""
    users = np.flatnonzero(real.counts_per_user() > 0)
    if len(users) > LARGEST_DRAW:
        users = np.sort(rng.choice(users, LARGEST_DRAW, replace=False))
    chosen = np.isin(real.user, users)
    user, item = _draw_choices(users, train, real.counts_per_user(), fitted, topics, rng)
    pairs = ((real.user[chosen], real.item[chosen]), (user, item))
    n_items = real.n_items
    samples = [Sample(np.ones(len(u)), u, i, n_items) for u, i in pairs]
    figures = [
        Figure(
            name="popularity_curve",
            title="Popularity curve",
            axis="items, the most rated first",
            unit="share of all held-out ratings",
            kind="rank",
            real=samples[0],
            simulated=samples[1],
            distance=total_variation_of_ranks,
            distance_name="total variation of shares by rank",
        )
    ]
    if topics.shape[1] > 1 and topics.any():
        of_users = [concentration(u, i, topics, real.n_users) for u, i in pairs]
        values = [Sample.of_values(index, who) for who, index in of_users]
        if min(map(len, values)) >= MIN_VALUES:
            figures.append(
                Figure(
                    name="genre_concentration",
                    title="Genre concentration per user",
                    axis="Herfindahl index of the genres of held-out items",
                    unit="share of users",
                    kind="distribution",
                    real=values[0],
                    simulated=values[1],
                    distance=kolmogorov_smirnov,
                    distance_name="Kolmogorov-Smirnov",
                )
            )
    return figures


def _draw_choices(
    users: IntArray,
    train: Interactions,
    wanted: IntArray,
    fitted: RatingFit,
    topics: FloatArray,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """As many items for each user as were held out, without replacement (Gumbel top-n)."""
    n_raters = int((train.counts_per_user() > 0).sum())
    share = np.minimum(fitted.popularity / n_raters, 1.0 - 0.5 / n_raters)
    with np.errstate(divide="ignore"):
        popularity = np.log(share) - np.log1p(-share)
    chosen_users: list[IntArray] = []
    chosen_items: list[IntArray] = []
    for start in range(0, len(users), _BLOCK):
        block = users[start : start + _BLOCK]
        key = fitted.affinity[block] @ topics.T
        key += popularity - np.log(rng.standard_exponential(key.shape))  # Gumbel noise
        for row, user in enumerate(block):
            key[row, train.items_of(user)] = -np.inf
        n = np.minimum(wanted[block], np.isfinite(key).sum(axis=1))
        best = np.argsort(-key, axis=1)[:, : int(n.max(initial=0))]
        taken = np.arange(best.shape[1]) < n[:, None]
        chosen_items.append(best[taken])
        chosen_users.append(np.repeat(block, n))
    return np.concatenate(chosen_users), np.concatenate(chosen_items)


def _popularity_deciles(popularity: FloatArray) -> IntArray:
    items = np.flatnonzero(popularity)
    order = items[np.argsort(popularity[items], kind="stable")]
    decile = np.full(len(popularity), -1)
    decile[order] = np.arange(len(order)) * DECILES // max(len(order), 1)
    return decile
