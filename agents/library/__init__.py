"""The learner on environments of others: any Gymnasium task whose action is weights or a slate."""
