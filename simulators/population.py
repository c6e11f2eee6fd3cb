"""Simulated users, many at once, each visit one slate, all state in flat float32 arrays."""

from collections.abc import Sequence

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from . import arguments, dynamics, randomness
from .config import DwellConfig
from .engines import EngineName, make_engine
from .numpy_engine import NumpyEngine
from .outcome import StepOutcome
from .users import DRIFT, LOAD, Lives, Reaction, UserState
from .world import Truth, World

__all__ = ["StepOutcome", "UserPopulation", "privileged_names"]

_SENSITIVITIES = ("satiation", "fatigue", "drift", "leaving", "returning")
_DWELL = np.full(1, 2)
"""Which further luck of an item that was shown decides its dwell; the choice has 0 and 1."""


class UserPopulation:
    """Simulated users, stepped together.

    All luck is a function of (seed, user, episode, visit, item), so it is the same in any batch and
    under any policy. A user may stand in several rows: the r-th lives through the user's episodes
    r, r + R, r + 2R and so on, where ``R`` is the most rows of any user; or they are twins, who
    have the same luck.

    The arrays it shows (``alive``, ``day``, ``mood`` and so on) are the state itself: they change
    with the next ``step``, so copy what is to be kept.

    Args:
        world: The truth.
        seed: Root of the users' luck.
        rows: Rows of the world, repeats allowed, shape ``(U,)``; all once by default.
        twins: Rows of one user have the same luck, so that policies can be compared on it.
        episodes: ``(r, R)``: all rows live through their users' episodes r, r + R, r + 2R and so
            on, as where several populations share them out.
        engine: ``compiled`` or ``numpy``; by default compiled where numba is installed. They have
            the same luck and equations, and differ in rounding.
    """

    def __init__(
        self,
        world: Truth,
        seed: int = 0,
        rows: IntArray | None = None,
        twins: bool = False,
        episodes: tuple[int, int] | None = None,
        engine: EngineName | None = None,
    ) -> None:
        self.world = world = world if rows is None else world.take(rows)
        self._lives = Lives.begin(world, seed)
        self._numpy = NumpyEngine(self._lives)
        self._engine = make_engine(self._lives, engine)
        n = len(world)
        self._repeat, self._repeats = np.zeros(n, np.int64), 1
        if not twins:
            self._repeat, self._repeats = _repeats(world.users)
        if episodes is not None:
            self._repeat, self._repeats = np.full(n, episodes[0]), episodes[1]
        self.reset()

    def __len__(self) -> int:
        return len(self.world)

    @property
    def engine(self) -> str:
        """Which engine moves the users on: ``compiled`` or ``numpy``."""
        return self._engine.name

    @property
    def alive(self) -> BoolArray:
        """Users that still come, shape ``(U,)``."""
        return self._lives.state.alive

    @property
    def episode(self) -> IntArray:
        """Which of its user's episodes each row is in, shape ``(U,)``; twins share them."""
        return self._lives.state.episode * self._repeats + self._repeat

    @property
    def day(self) -> FloatArray:
        """Day of the coming visit, shape ``(U,)``."""
        return self._lives.state.day

    @property
    def days_away(self) -> FloatArray:
        """Days between the last visit and the coming one, 0 at first and in a session, ``(U,)``."""
        return self._lives.state.days_away

    @property
    def mood(self) -> FloatArray:
        """Running satisfaction, shape ``(U,)``."""
        return self._lives.state.mood

    @property
    def load(self) -> FloatArray:
        """Recent clicks per topic, shape ``(U, T)``."""
        return self._lives.state.per_topic[:, LOAD, : self.world.topics.shape[1]]

    @property
    def drift(self) -> FloatArray:
        """Interest relative to the start, shape ``(U, T)``."""
        return self._lives.state.per_topic[:, DRIFT, : self.world.topics.shape[1]]

    def fatigue(self, columns: IntArray) -> FloatArray:
        """Log-odds lost by given columns, before sensitivity, shape of ``columns`` ``(U, n)``."""
        arguments.require_columns(columns, self.world.n_candidates)
        cells = self._lives.memory.locate(None, columns, keep=False)
        return self._lives.memory.read(cells, self._lives.state.clock)

    def reset(self, rows: IntArray | BoolArray | Sequence[int] | None = None) -> None:
        """Start the next episode of the given rows (of all by default), with new luck.

        Args:
            rows: Indices, or a mask of all users.

        Raises:
            InvalidValue: There are no such rows.
        """
        at = slice(None)
        if rows is not None:
            at = arguments.row_indices(rows, len(self))
            if len(at) == 0:
                return
        s = self._lives.state
        s.episode[at] += 1
        s.visit_key[at] = randomness.visit_key(s.root[at], self.episode[at])
        s.day[at] = 0.0
        s.days_away[at] = 0.0
        s.alive[at] = True
        s.mood[at] = self.world.config.satisfaction.reference
        s.per_topic[at] = 0.0
        s.clock[at] = self._lives.memory.restart(at, s.clock[at])

    def step(
        self,
        columns: IntArray,
        present: BoolArray | None = None,
        blank: BoolArray | None = None,
    ) -> StepOutcome:
        """Show each user one slate.

        Args:
            columns: Columns of the world, distinct within a row, top position first, ``(U, k)``.
            present: Who is there, shape ``(U,)``; everybody by default. For the others nothing
                happens and no time passes; their columns are not looked at.
            blank: Positions at which nothing is shown, so that nothing is clicked there and nobody
                tires of it, shape ``(U, k)``; none by default. Their columns must be distinct from
                the others of the row all the same.

        Raises:
            InvalidValue: ``columns`` of somebody who is there are no slate of the world's columns,
                or an argument has another shape or type. Nothing has happened then.
        """
        self._require_shape(columns)
        if present is not None:
            arguments.require_flags(present, (len(self),), "present")
        if blank is not None:
            arguments.require_flags(blank, columns.shape, "blank")
        alive = self._lives.state.alive
        active = alive.copy() if present is None else alive & present
        rows = None
        if np.count_nonzero(active) < len(active):
            rows = np.flatnonzero(active)
            columns, active = columns[rows], active[rows]
            blank = None if blank is None else blank[rows]
        r = self._engine.visit(rows, columns, blank)
        outcome = StepOutcome(
            columns,
            r.clicks,
            r.click_probability,
            r.looks,
            r.mean_satisfaction,
            r.satisfaction,
            r.engagement,
            active,
            r.left,
            r.ended,
            r.session_over,
            r.day,
            r.next_day,
            r.days_away,
            r.leaving_probability,
            r.return_hazard,
            _dwell(self.world.config.dwell, r),
        )
        return outcome if rows is None else outcome.spread(rows, len(self))

    def expected_engagement(self, columns: IntArray) -> FloatArray:
        """Expected satisfaction-weighted clicks of a slate now, without showing it, ``(U,)``."""
        self._require_shape(columns)
        click, satisfaction = self._numpy.probabilities(columns)
        return np.einsum("uk,uk->u", click, satisfaction)

    def click_probabilities(self, columns: IntArray) -> FloatArray:
        """Probability of a click at each position of a slate shown now, shape ``(U, k)``."""
        self._require_shape(columns)
        return self._numpy.probabilities(columns)[0]

    def log_odds(self, columns: IntArray) -> FloatArray:
        """Log-odds now of a click once examined, and of satisfaction, ``(2, U, n)``.

        Args:
            columns: Any number of columns of each user, shape ``(U, n)``.
        """
        return self._numpy.odds(columns)

    def privileged(self) -> FloatArray:
        """Latent state that a critic may see and a policy may not, shape ``(U, L)``, float32."""
        s, horizon = self.world.sensitivities, self.world.config.horizon_days
        tired = self._lives.memory.total(self._lives.state.clock) / np.float32(
            self.world.n_candidates
        )
        scalars = [self.mood, self.day / horizon, self.days_away / horizon, tired]
        scalars += [np.log(getattr(s, name)) for name in _SENSITIVITIES]
        return np.concatenate([self.load, self.drift, np.stack(scalars, 1)], 1, dtype=np.float32)

    def take(self, rows: IntArray | BoolArray | Sequence[int]) -> "UserPopulation":
        """A copy of some rows in mid-flight, with the state and the luck they have.

        Args:
            rows: Indices, repeats allowed, or a mask of all users.

        Raises:
            InvalidValue: There are no such rows.
        """
        rows = arguments.row_indices(rows, len(self))
        copy = object.__new__(UserPopulation)
        copy.__dict__.update(self.__dict__)
        copy._lives = self._lives.take(rows)
        copy.world = copy._lives.world
        copy._numpy = NumpyEngine(copy._lives)
        copy._engine = make_engine(copy._lives, self._engine.name)
        copy._repeat = self._repeat[rows]
        return copy

    @property
    def bytes_per_user(self) -> int:
        """Memory of one user's state, without the world's tables."""
        parts = [getattr(self._lives.state, name) for name in UserState.__slots__]
        return self._lives.memory.bytes_per_user + sum(p.nbytes for p in parts) // max(len(self), 1)

    def _require_shape(self, columns: IntArray) -> None:
        arguments.require_shape(columns, len(self), self.world.config.slate_size)


def privileged_names(world: World) -> tuple[str, ...]:
    """Names of the columns of ``UserPopulation.privileged``, in order."""
    topics = world.catalogue.topic_names
    return (
        *(f"load:{t}" for t in topics),
        *(f"drift:{t}" for t in topics),
        *("mood", "day", "days_away", "mean_fatigue"),
        *(f"log_sensitivity:{name}" for name in _SENSITIVITIES),
    )


def _dwell(config: DwellConfig, reaction: Reaction) -> FloatArray | None:
    """Minutes on what was clicked, ``(R, k)``; None where dwell is not simulated."""
    if not config.enabled:
        return None
    noise = randomness.normals(randomness.derive(reaction.keys, _DWELL))
    minutes = dynamics.dwell_minutes(
        reaction.satisfaction, noise, config.minutes, config.gain, config.spread
    )
    return np.minimum(minutes, np.float32(config.length)) * reaction.clicks


def _repeats(users: IntArray) -> tuple[IntArray, int]:
    """Which repetition of its user each row is, from 0, and the largest number of rows per user."""
    order = np.argsort(users, kind="stable")
    ranked = users[order]
    first = np.searchsorted(ranked, ranked, side="left")
    repeat = np.empty(len(users), np.int64)
    repeat[order] = np.arange(len(users)) - first
    return repeat, int(repeat.max(initial=0)) + 1
