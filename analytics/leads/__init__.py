"""Episodes of one enterprise and matter → one lead: probability, severity, freshness, words.

scoring   how likely, how bad, how fresh, and the level that follows
reasons   the one sentence, in both languages, whose numbers are the evidence
doubts    how this could be wrong
merging   the lead of an enterprise and matter
"""
