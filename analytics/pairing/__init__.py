"""Which treatment must run when which production runs (产治关联), minute by minute.

condition   production running and required treatment off, on, or not known
(place)     `lags`: learned lag quantiles of a pairing; `registration`: does the registered
            partner fit (miss-rate, mutual information); they come with the late-start kinds
"""
