"""The feedback loop as a library: ``python docs/examples/feedback_loop.py``."""

import numpy as np
from fairloop.candidates.config import CandidateConfig
from fairloop.candidates.fit import RecBoleWorker
from fairloop.candidates.synthetic import synthetic_dataset
from fairloop.rerankers.topk import TopKReranker
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.study.feedback import FeedbackLog
from fairloop.simulators.study.measures import Before, measure_round
from fairloop.simulators.study.users import StudyUsers, study_truth

DAYS, K = 4, 10

with RecBoleWorker() as worker:
    base = model = worker.fit(synthetic_dataset(), CandidateConfig(model="EASE", top_n=50))
    ranking = worker.refit(base, base.train, top_n=base.n_items)
    people = StudyUsers(study_truth(ranking, WorldConfig(), K, DAYS), seed=1)
    before, log = Before.of(base, people.users), FeedbackLog()
    for day in range(DAYS):
        pools = people.pools(model)  # of those who come today
        slates = TopKReranker().rerank(pools, K, np.random.default_rng(day))
        log.append(people.show(pools, slates))
        for name, _, value in measure_round(before, people, log, model.train):
            if name in ("active_users", "engagement", "gini"):
                print(day, name, round(value, 3))
        people.next_day()
        model = worker.refit(base, log.training(base.train))
