"""Feedback-loop studies: recommend, simulate, append, refit, measure; or those steps one by one."""
