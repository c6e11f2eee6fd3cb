"""Published simulators as configurations of this one: SARDINE, RecSim and T-RECS."""
