"""Measures what was recommended, from the record; start with ``compute.py``."""
