"""What training brings over its seeds: figures of their mean, and an interval for other seeds.

Every training seed's policy serves the same held-out users on the same luck, and so does whatever
it is compared with. Two things were drawn that could have been drawn otherwise, training seeds and
users, and both are resampled, each by itself: the bootstrap of two factors ("pigeonhole bootstrap",
Owen 2007; McCullagh 2000, "Resampling and exchangeable arrays"), whose variance is not below the
true one. Resampling users alone would say how sure the mean of these very seeds is, and not how
another training would end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from fairloop.agents.baselines import Entrant
from fairloop.agents.outcomes import Arena, run
from fairloop.arrays import FloatArray
from fairloop.metrics.bootstrap import Estimate, interval, resampling_counts

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Resampled:
    """Engagement per user: as measured, and in each resample.

    Attributes:
        learned: Mean over training seeds and users, then in ``B`` resamples, shape ``(1 + B,)``.
        each: Mean over users of each training seed, users resampled alone, shape ``(S, 1 + B)``.
        others: Mean over users of each policy that has one training or none, shape ``(1 + B,)``.
    """

    learned: FloatArray
    each: FloatArray
    others: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls,
        learned: FloatArray,
        others: Mapping[str, FloatArray],
        n_bootstrap: int,
        rng: np.random.Generator,
    ) -> "Resampled":
        """Draw users and training seeds anew.

        Args:
            learned: Engagement of each user under each training seed, shape ``(S, U)``.
            others: Engagement of each user under each other policy, shape ``(U,)``.
            n_bootstrap: Resamples ``B``.
            rng: Source of them.
        """
        n_seeds, n_users = learned.shape
        draws = np.concatenate([*resampling_counts(n_users, n_bootstrap, rng)]) / n_users
        users = np.concatenate([np.full((1, n_users), 1.0 / n_users), draws])
        draws = np.concatenate([*resampling_counts(n_seeds, n_bootstrap, rng)]) / n_seeds
        seeds = np.concatenate([np.full((1, n_seeds), 1.0 / n_seeds), draws])
        each = learned @ users.T
        return cls(
            learned=np.einsum("bs,sb->b", seeds, each),
            each=each,
            others={name: users @ values for name, values in others.items()},
        )

    def ratio(self, other: str, seed: int | None = None) -> Estimate:
        """Engagement over another policy's: of the mean over seeds, or of one seed."""
        own = self.learned if seed is None else self.each[seed]
        return _estimate(own / self.others[other])

    def gap_closed(self, start: str, end: str) -> Estimate | None:
        """Share of the way between two policies; None where one resample has no way at all."""
        way = self.others[end] - self.others[start]
        return _estimate((self.learned - self.others[start]) / way) if (way > 0.0).all() else None


def engagement(arena: Arena, entrants: Sequence[Entrant], seeds: Sequence[int]) -> list[FloatArray]:
    """What every policy brings every user, on the same luck; one array ``(U,)`` for each."""
    return [run(arena, entrant.make, seeds).expected_engagement for entrant in entrants]


def _estimate(values: FloatArray) -> Estimate:
    low, high = interval(values[1:], CONFIDENCE)
    return Estimate(float(values[0]), float(low), float(high))
