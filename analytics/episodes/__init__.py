"""Condition spells of all days → episodes.

joining    spells across midnights and short open gaps → stretches
declared   stretches against accepted declarations
treatment  stretches of `treatment_off` → episodes with evidence and confidence
"""
