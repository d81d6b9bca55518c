"""What else is true while something unlawful happens: found there, it counts neither way.

A frozen production meter shows production while the plant rests, and its treatment off; a turned
clock tears a gap. The list is short and fixed: whatever is not on it is a false finding, however
guilty the enterprise is otherwise.
"""

from collections.abc import Mapping
from types import MappingProxyType

_EDGES = ("treatment_late_start", "treatment_early_stop")

CONSEQUENCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "treatment_off": _EDGES,
        "treatment_late_start": ("treatment_off",),
        "treatment_early_stop": ("treatment_off",),
        "treatment_inspection_only": ("treatment_off", *_EDGES),
        "treatment_gradual_underrun": ("treatment_underload",),
        "treatment_dummy_load": ("treatment_underload",),
        "shared_treatment_short": ("treatment_off", *_EDGES),
        # the meter of a circuit shows what is not so: its pairings, its balance, its register
        "frozen_reading": (
            "treatment_off",
            "shared_treatment_short",
            "treatment_underload",
            "unmetered_production",
            "counter_anomaly",
            *_EDGES,
        ),
        "replayed_data": ("treatment_off", "counter_anomaly", *_EDGES),
        "clock_skew": ("counter_anomaly", "data_gap_at_alert"),
        "capacity_growth": ("production_surge",),
    }
)
"""Planted kind → kinds that follow from it (on any circuit of the enterprise, at that time)."""
