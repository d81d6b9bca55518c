"""What is looked for: one module per kind of the rule catalogue, under its own code.

A detector looks at one of the stages (the readings of a day, its minutes with states, or the
history of an enterprise), leaves condition spells and facts of the day, and ends in episodes.
`line_up` says which one looks where: a new kind is a new module, and its lines there.

The ground they stand on:

    stages          what is seen at each stage
    line_up         which kind looks at which stage
    measured        what each meter measures at all
    plant_energy    energy of the production, block by block
    register_screen whose registers have to be looked at step by step
    register_steps  steps of an energy register, and what each can have counted at most
    register_hours  hours in which a register counts other than the power beside it
    sample_spells   neighbouring readings that share a condition → spells
    unit_physics    physics of a treatment unit, and what in them speaks for a resistor
    treatment_edges events, lags and episodes of late starts and early stops

The kinds:

    treatment_off                production ran, no required treatment unit worked
    treatment_late_start         starts of a pairing against the lawful lag
    treatment_early_stop         stops, likewise
    treatment_underload          15-minute blocks against the unit's own reference for that duty
    treatment_gradual_underrun   a slow decline of the daily ratio to the frozen reference
    treatment_dummy_load         power factor, current balance, and power against voltage
    treatment_inspection_only    treatment inside against outside office hours and inspections
    shared_treatment_short       units that work against units required
    unmetered_production         main meter − Σ sub-meters against the reference's own band
    data_gap_at_alert            a silence at an alert against the circuit's own gaps
    counter_anomaly              steps of a register, and hours against the power
    frozen_reading               runs of identical values
    replayed_data                stretches of blocks that come again, value by value
    clock_skew                   device clock against receipt
    phase_loss                   one phase without voltage or current
    production_surge             the 24 h before a response against like days (information)
    capacity_growth              daily energy of 30 days against the 30 before (information)

`curtailment_violation` has its place in `analytics.verdicts`.
"""
