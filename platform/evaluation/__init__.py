"""Evaluations of stored policies: run them, put them in a table, write them as files."""
