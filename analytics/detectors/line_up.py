"""Which detector looks at which stage. A new kind is a new module, and its lines here."""

from collections.abc import Callable, Sequence

from analytics.detectors import (
    capacity_growth,
    clock_skew,
    conduct_facts,
    counter_anomaly,
    data_gap_at_alert,
    frozen_reading,
    measured,
    phase_loss,
    plant_energy,
    production_surge,
    replayed_data,
    shared_treatment_short,
    treatment_dummy_load,
    treatment_early_stop,
    treatment_gradual_underrun,
    treatment_inspection_only,
    treatment_late_start,
    treatment_off,
    treatment_underload,
    unmetered_production,
)
from analytics.detectors.stages import History, JudgedDay, RawDay
from analytics.pairing.levels import level_facts
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import DayFact
from wattwitness.domain.spells import ConditionSpell

MARKS: Sequence[Callable[[RawDay], list[ConditionSpell]]] = (
    counter_anomaly.mark,
    data_gap_at_alert.mark,
    frozen_reading.mark,
    phase_loss.mark,
)
RAW_FACTS: Sequence[Callable[[RawDay], list[DayFact]]] = (
    clock_skew.raw_facts,
    conduct_facts.raw_facts,
    frozen_reading.raw_facts,
    measured.raw_facts,
    phase_loss.raw_facts,
    replayed_data.raw_facts,
    treatment_dummy_load.raw_facts,
)
CONDITIONS: Sequence[Callable[[JudgedDay], list[ConditionSpell]]] = (
    treatment_off.conditions,
    shared_treatment_short.conditions,
    treatment_late_start.conditions,
    treatment_early_stop.conditions,
)
FACTS: Sequence[Callable[[JudgedDay], list[DayFact]]] = (
    level_facts,
    treatment_inspection_only.facts,
    unmetered_production.facts,
    plant_energy.facts,
    conduct_facts.facts,
)
EPISODES: Sequence[Callable[[History], list[Episode]]] = tuple(
    detector.episodes
    for detector in (
        treatment_off,
        treatment_late_start,
        treatment_early_stop,
        treatment_underload,
        treatment_gradual_underrun,
        treatment_dummy_load,
        treatment_inspection_only,
        shared_treatment_short,
        unmetered_production,
        data_gap_at_alert,
        counter_anomaly,
        frozen_reading,
        replayed_data,
        clock_skew,
        phase_loss,
        production_surge,
        capacity_growth,
    )
)
