"""Condition spells of all days → episodes.

joining    spells across midnights and short open gaps → stretches
declared   stretches against accepted declarations
treatment  stretches of `treatment_off` and `shared_treatment_short` → episodes
plain      spells that need no pairing → episodes
explained  episodes that are only the echo of another one, and units that share one
"""
