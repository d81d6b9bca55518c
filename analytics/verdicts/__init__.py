"""Whether an ordered cut happened: a verdict (核查结论) per alert and enterprise.

orders        what an alert demands of a plant: measures by phase, circuits and time
conduct       what the plant did, minute by minute
windows       judged time: without what is declared, cut at midnights
running_rule  `stop` and `hours`, by running minutes
energy_rule   `limit`, by energy against the frozen baseline
uncertainty   the spread of the plant's own placebo days
whole_plant   a main meter alone: would it be as low without an order?
unmetered     what main meters saw beside resting sub-meters
ruling        what a rule says of one measure
measured      one order → the verdict on its measure
combining     several measures → the enterprise
present       power now, usual and required
notes         what is told beside it
judging       all of it: `judge`, `Case`, `verdicts_of`
courses       each minute of an alert by all that came since
"""
