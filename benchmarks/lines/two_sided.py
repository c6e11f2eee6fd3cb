"""P-MMF and CP-Fair."""

import numpy as np
from fairloop.rerankers.two_sided.cp_fair import CPFairConfig
from fairloop.rerankers.two_sided.gaps import GapProblem
from fairloop.rerankers.two_sided.p_mmf import PMMFConfig, step_size

from benchmarks.lines.setting import PLAIN, Line, Setting
from benchmarks.peers import plain_two_sided

PMMF_RATIO_BAR = 50
SOLVED_USERS = 100  # of the peer with a quadratic programme after each; the first are its quickest
PROGRAMME_USERS = 300  # in one linear programme
P_MMF = PMMFConfig(attribute="provider", weight=0.1)  # λ as in the authors' code, 50 providers
CP_FAIR = CPFairConfig()


def lines(setting: Setting) -> list[Line]:
    return [*p_mmf_lines(setting), *cp_fair_lines(setting)]


def p_mmf_lines(setting: Setting) -> list[Line]:
    reranker = P_MMF.make(setting.knowledge)
    problem = reranker.problem(setting.pools, setting.k)
    n_users = len(setting.pools)
    rate = step_size(P_MMF.learning_rate, n_users, len(problem.shares))

    def plain(project: plain_two_sided.Projection, users: int) -> np.ndarray:
        return plain_two_sided.p_mmf(
            problem.relevance[:users],
            problem.codes[:users],
            problem.shares,
            problem.weight,
            problem.k,
            rate,
            P_MMF.momentum,
            project,
            problem.start,
            n_users,
        )

    def by_slsqp() -> np.ndarray:
        return plain(plain_two_sided.projected_by_slsqp, min(SOLVED_USERS, n_users))

    def by_search() -> np.ndarray:
        return plain(plain_two_sided.projected_exactly, n_users)

    def difference(_: object) -> tuple[str, float, float, bool]:
        """Users in the same order for both, which the re-ranker draws by chance."""
        ours = problem.objective(reranker.solve(problem).columns)
        off = abs(ours / problem.objective(np.sort(by_search(), axis=1)) - 1.0)
        # With fewer users, a single exposure of the smallest provider weighs more than 1e-3.
        one = problem.weight / (n_users * problem.k * problem.shares.min())
        bar = 1e-3 if n_users >= 1000 else max(1e-3, one)
        return "objective's distance from one user at a time, relative", off, bar, False

    def offline_gain(_: object) -> tuple[str, float, float, bool]:
        offline = P_MMF.changed(mode="offline").make(setting.knowledge).solve(problem)
        online = reranker.solve(problem)
        gain = problem.objective(offline.columns) - problem.objective(online.columns)
        return "objective above the online mode's", gain, 0.0, True

    return [
        Line(
            "p-mmf",
            lambda: setting.slates(P_MMF),
            by_slsqp,
            ratio_bar=PMMF_RATIO_BAR,
            agree=difference,
            plain_users=min(SOLVED_USERS, n_users),
            peer="the authors' loop, SLSQP after every user",
        ),
        Line(
            "p-mmf, its peer projecting exactly too",
            lambda: setting.slates(P_MMF),
            by_search,
            peer=PLAIN,
        ),
        Line(
            "p-mmf, offline",
            lambda: setting.slates(P_MMF.changed(mode="offline")),
            by_search,
            agree=offline_gain,
            peer="one online pass, " + PLAIN,
        ),
    ]


def cp_fair_lines(setting: Setting) -> list[Line]:
    reranker = CP_FAIR.make(setting.knowledge)

    def problem(users: int) -> GapProblem:
        return reranker.problem(setting.first(users).pools, setting.k)

    whole, some = problem(len(setting.pools)), problem(min(PROGRAMME_USERS, len(setting.pools)))

    def gap(_: object) -> tuple[str, float, float, bool]:
        found = reranker.solve(whole)
        return "objective's distance from its bound", found.bound - found.objective, 1e-3, False

    def gain(_: object) -> tuple[str, float, float, bool]:
        greedy = np.sort(plain_two_sided.cp_fair_greedy(whole), axis=1)
        above = reranker.solve(whole).objective - float(whole.objective(whole.totals(greedy)))
        return "objective above the greedy's", above, 0.0, True

    return [
        Line(
            "cp-fair",
            lambda: setting.slates(CP_FAIR),
            lambda: plain_two_sided.cp_fair_programme(some, integer=False),
            agree=gap,
            plain_users=len(some.relevance),
            peer="the authors' linear programme (bound alone), HiGHS",
        ),
        Line(
            "cp-fair, beside a greedy",
            lambda: setting.slates(CP_FAIR),
            lambda: plain_two_sided.cp_fair_greedy(whole),
            agree=gain,
        ),
    ]
