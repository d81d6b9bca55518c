"""What a plant usually uses (place; comes with the alerts).

Baselines of a plant: running minutes and line counts of named circuits first, energy against the
median of ten like days second, an empirical interval from the plant's own past days third; frozen
when an alert is issued. Day histograms, day quality and states of a day are what they build on.
"""
