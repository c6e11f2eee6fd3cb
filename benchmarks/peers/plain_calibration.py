"""Calibration by the book, one row at a time; what tests compare the fast one with."""

import numpy as np


def em(shown, clicked, steps=20_000):
    """The position-based model with a relevance per item, by plain EM (Wang et al. 2018, eq. 1-2).

    ``shown`` and ``clicked`` are (items, positions); position 1 is always examined.
    """
    n_items, n_positions = shown.shape
    theta, gamma = np.full(n_positions, 0.5), np.full(n_items, 0.5)
    theta[0] = 1.0
    for _ in range(steps):
        examined, relevant = np.zeros(n_positions), np.zeros(n_items)
        for i in range(n_items):
            for k in range(n_positions):
                rest = 1.0 - theta[k] * gamma[i]
                skipped = shown[i, k] - clicked[i, k]
                examined[k] += clicked[i, k] + skipped * theta[k] * (1.0 - gamma[i]) / rest
                relevant[i] += clicked[i, k] + skipped * gamma[i] * (1.0 - theta[k]) / rest
        new_theta = examined / shown.sum(axis=0)
        new_theta[0] = 1.0
        new_gamma = relevant / shown.sum(axis=1)
        moved = max(np.abs(new_theta - theta).max(), np.abs(new_gamma - gamma).max())
        theta, gamma = new_theta, new_gamma
        if moved < 1e-9:
            break
    return theta, gamma


def marginal_log_likelihood(shown, clicked, theta, mean, spread):
    """Of mean and spread of the items' log-odds, every item integrated out on a fine grid."""
    grid = np.linspace(mean - 8 * spread, mean + 8 * spread, 4001)
    density = np.exp(-0.5 * ((grid - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
    total = 0.0
    for n, c in zip(shown, clicked, strict=True):
        likelihood = np.ones_like(grid)
        for k in range(len(theta)):
            p = theta[k] / (1.0 + np.exp(-grid))
            likelihood *= p ** c[k] * (1.0 - p) ** (n[k] - c[k])
        total += np.log((likelihood * density).sum() * (grid[1] - grid[0]))
    return total


def covariates(log, topics, fatigue_half_life, satiation_half_life, threshold):
    """What each impression had behind it, by looking at everything that came before it."""
    found = np.zeros((len(log), 3))
    time = [(log.day[r], log.slate[r]) for r in range(len(log))]
    for r in range(len(log)):
        load = np.zeros(topics.shape[1])
        for s in range(len(log)):
            if log.user[s] != log.user[r] or time[s] >= time[r]:
                continue
            days = log.day[r] - log.day[s]
            if log.item[s] == log.item[r]:
                faded = 2.0 ** (-days / fatigue_half_life)
                found[r, 0] += faded
                found[r, 1] += faded * log.clicked[s]
            load += 2.0 ** (-days / satiation_half_life) * log.clicked[s] * topics[log.item[s]]
        found[r, 2] = np.maximum(load - threshold, 0.0) @ topics[log.item[r]]
    return found
