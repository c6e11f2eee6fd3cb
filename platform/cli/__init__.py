"""The command line: one file per command, one object per ``--json``."""
