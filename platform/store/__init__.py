"""What is written to and read from SQL, one file per subject.

Every function takes an open session and leaves the transaction to its caller, so that a
recommendation, its items and its explanations are stored together or not at all.
"""
