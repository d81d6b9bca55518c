"""Episodes of one enterprise and matter → one lead: probability, severity, freshness, words.

scoring        how likely, how bad, how fresh, and the level that follows
reasons        the one sentence, in both languages, whose numbers are evidence (sentences per kind)
doubts         how this could be wrong, checked against what is known (refutations per kind)
meter_changes  registers that went back: the meter, or its transformer, may be another one
chronic        pairs that miss from the first day on: their registration is to be checked
early          warnings: not yet an episode
merging        the lead of an enterprise and matter
"""
