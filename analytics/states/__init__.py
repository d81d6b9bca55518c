"""Power → off, standby, running: each circuit by its own thresholds.

    histograms   power of a day on a log2 axis, and the window of days that thresholds rest on
    otsu         the best two and three classes of many histograms at once
    classes      which of those classes are real, and what they are called
    thresholds   classes and nameplate → `Thresholds`
    hysteresis   thresholds → states, minute by minute
    runs         stretches of minutes in which something holds
    dwell        production that runs for a moment only does not run

A fixed share of rated power mislabels 18–37 % of energised samples on public motors whose no-load
power is 3.6–11.1 % of full load; hence thresholds learned per circuit.
"""
