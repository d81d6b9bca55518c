"""Every kind of incident, its planner, and the share of enterprises that meet it by default."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway_sim.effects import Incident
from gateway_sim.faults import (
    curtailment,
    lawful,
    lawful_meters,
    lawful_work,
    metering,
    treatment,
)
from gateway_sim.faults.site import Site

Planner = Callable[[Site], list[Incident]]

PLANNERS: Mapping[str, Planner] = MappingProxyType(
    {
        # what lasts longest is placed first, or it would find no room
        "treatment_gradual_underrun": treatment.treatment_gradual_underrun,
        "treatment_inspection_only": treatment.treatment_inspection_only,
        "capacity_growth": curtailment.capacity_growth,
        "production_surge": curtailment.production_surge,
        "data_gap_at_alert": curtailment.data_gap_at_alert,
        "unmetered_production": metering.unmetered_production,
        "clock_skew": metering.clock_skew,
        "replayed_data": metering.replayed_data,
        "treatment_dummy_load": treatment.treatment_dummy_load,
        "treatment_off": treatment.treatment_off,
        "shared_treatment_short": treatment.shared_treatment_short,
        "treatment_underload": treatment.treatment_underload,
        "treatment_late_start": treatment.treatment_late_start,
        "treatment_early_stop": treatment.treatment_early_stop,
        "counter_anomaly": metering.counter_anomaly,
        "frozen_reading": metering.frozen_reading,
        "phase_loss": metering.phase_loss,
        "declared_maintenance": lawful.declared_maintenance,
        "declared_holiday": lawful.declared_holiday,
        "standby_idling": lawful.standby_idling,
        "comms_outage": lawful.comms_outage,
        "feeder_outage": lawful.feeder_outage,
        "meter_hiccup": metering.meter_hiccup,
        "short_gap": lawful.short_gaps,
        "trial_run": lawful_work.trial_run,
        "spare_switch": lawful_work.spare_switch,
        "recipe_change": lawful_work.recipe_change,
        "long_warm_up": lawful_work.long_warm_up,
        "seasonal_level": lawful_work.seasonal_level,
        "duty_cycled_fan": lawful_work.duty_cycled_fan,
        "fan_follows_lines": lawful_work.fan_follows_lines,
        "late_queue": lawful_meters.late_queue,
        "reversed_ct": lawful_meters.reversed_ct,
        "single_phase_load": lawful_meters.single_phase_load,
        "coarse_meter": lawful_meters.coarse_meter,
        # last: they ask what the register will show
        "meter_replaced": lawful_meters.meter_replaced,
        "register_rolled_over": lawful_meters.register_rolled_over,
    }
)
"""Kind → planner. `curtailment_violation` has no planner: it follows from the alert."""

FURTHER = (
    "trial_run",
    "spare_switch",
    "recipe_change",
    "long_warm_up",
    "seasonal_level",
    "duty_cycled_fan",
    "fan_follows_lines",
    "late_queue",
    "meter_replaced",
    "register_rolled_over",
    "reversed_ct",
    "single_phase_load",
    "coarse_meter",
)
"""Confusers that a city only has if its scenario asks for them."""

DEFAULT_SHARES: Mapping[str, float] = MappingProxyType(
    {
        "treatment_off": 0.16,
        "treatment_late_start": 0.05,
        "treatment_early_stop": 0.05,
        "treatment_underload": 0.04,
        "treatment_gradual_underrun": 0.02,
        "treatment_dummy_load": 0.03,
        "treatment_inspection_only": 0.03,
        "shared_treatment_short": 0.05,
        "unmetered_production": 0.03,
        "counter_anomaly": 0.03,
        "frozen_reading": 0.04,
        "replayed_data": 0.02,
        "clock_skew": 0.03,
        "phase_loss": 0.03,
        "data_gap_at_alert": 0.03,
        "production_surge": 0.03,
        "capacity_growth": 0.02,
        "curtailment_violation": 0.15,
        "declared_maintenance": 0.14,
        "declared_holiday": 0.05,
        "standby_idling": 0.12,
        "comms_outage": 0.15,
        "feeder_outage": 0.08,
        "meter_hiccup": 0.1,
        "short_gap": 0.2,
        **dict.fromkeys(FURTHER, 0.0),
    }
)
"""Kind → share of the enterprises. A scenario may change each; 0 leaves a kind out."""
