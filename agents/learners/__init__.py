"""Further formulations of the learned re-ranker, all behind one `Learner` protocol."""
