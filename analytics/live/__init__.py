"""The newest minutes of a whole city, kept in memory, for what cannot wait for the batch.

    fleet      many plants as one set of arrays: a row is a circuit
    tail       the last readings of each circuit, in slots
    latches    the hysteresis of `analytics.states`, taken up where it stood
    pairs      the conditions of `analytics.pairing`, all pairings at once
    minutes    `CityMinutes`: power, states and pairings, minute by minute, moved on by new readings
    packed     arrays of long runs, kept small
    conduct    what the batch has stored of an enterprise, and the minutes since
    watched    an enterprise under open alerts, and what was last said of it
    loading    what its verdicts rest on, from the store
    watching   the task that watches them: polls, judges, writes
    warned     treatment that is off or short right now
    warner     the task that warns of it, of the whole city
    tally      the line of their log

Batch is the truth. The engine uses the same thresholds and rules, and equals the batch on the same
readings but for what looks further than its tail (see `minutes`); whatever differs is put right
when the batch has looked at the enterprise again.
"""
