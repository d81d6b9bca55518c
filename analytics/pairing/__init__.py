"""Which treatment must run when which production runs (产治关联), minute by minute.

condition   production running and required treatment off, on, or not known
spells      conditions of a day → maximal spells, with the open minutes around them
edges       starts and stops of production against those of its treatment
levels      the level of each unit, block by block, against its own verified level
blocks      blocks of 15 minutes of the local day, from minutes
"""
