"""One module per kind of the rule catalogue: state and power grids of a day → condition spells.

Judged now:

    treatment_off            production ran, no required treatment unit worked

Each further kind has its place here, under its own code:

    treatment_late_start     start edges of a pairing against its learned lag
    treatment_early_stop     stop edges, likewise
    treatment_underload      15-minute blocks against the verified level of the same duty
    treatment_gradual_underrun   CUSUM of the daily ratio to the frozen commissioning reference
    treatment_dummy_load     exponent of P against V, power factor, current balance
    treatment_inspection_only    on-rate inside against outside inspection hours
    shared_treatment_short   units running against units required
    unmetered_production     main − Σ sub-meters, aligned for lag, robust residual
    data_gap_at_alert        a gap at an alert against the circuit's own gap rate
    counter_anomaly          register steps bounded by rated power × elapsed time, ∫P dt
    frozen_reading           run lengths of identical values on the finest channel
    replayed_data            a day sample by sample equal to an earlier one
    clock_skew               device clock against receipt, edges against other circuits
    phase_loss               one phase voltage or current against the others
    production_surge         the 24 h before an alert against the baseline
    capacity_growth          30-day medians

`curtailment_violation` is raised by `analytics.verdicts`.
"""
