"""Whether an ordered cut happened: a verdict (核查结论) per alert and enterprise (place).

`complied`, `partial`, `violated`, `insufficient_data` or `exempt`, from running minutes of the
named circuits and, for limits, energy against `analytics.baselines`; `curtailment_violation` is
raised here.
"""
