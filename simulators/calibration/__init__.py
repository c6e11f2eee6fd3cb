"""The simulator's parameters out of logs and ratings, and a report of where it misses reality.

``read_log`` and ``open_bandit`` read impressions, ``click_table`` counts them, ``position_bias``
and ``regression_em`` say how often each position is looked at, ``base_rates``, ``repeats`` and
``visits`` fit the rest, ``fit_log`` puts it together, and ``report`` compares what the fit
simulates with what was held out.
"""
