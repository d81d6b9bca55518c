"""Orders under an alert: who is told what, what each plant does about it, what is true of it.

season    several alerts over a history: levels, upgrades and downgrades, one to five days
plans     measures of every kind (stop, limit, hours; plant, line, circuits), beside the guide's
duties    what one alert asks of one plant, phase by phase
limits    how a plant comes down to a share of its energy: whole lines, load, or shorter hours
following one plant under one alert, and what it takes to do what is asked
conducts  what plants do: follow, half, by night only, late, relapse, shift, bypass, fall silent, …
answers   each plant under each alert: its conduct drawn, its effects planned
truth     the verdict by the contract's own definition, over what really happened
"""
