"""From stored readings to states, episodes and leads.

    series        where columns of readings come from (`SeriesStore`)
    plants        a plant as the kernels see it
    grid          readings → one-minute power grid of a local day
    columns       readings of a plant, circuit by circuit, one column per measurand
    decimals      rounding of many numbers at once
    quantiles     quantiles of many rows at once
    quality       marks on single readings, rates per circuit and day
    states        power → off, standby, running; each circuit's own thresholds
    pairing       which treatment must run when: the condition of a pairing, minute by minute
    detectors     one module per kind of the rule catalogue: readings and states → spells, facts
    episodes      condition spells of all days → episodes; declarations
    leads         episodes → ranked leads with a reason and its doubts
    testability   what the meters of an enterprise cannot show
    baselines     what a plant usually does, frozen when an alert is issued
    verdicts      whether an ordered cut happened, and how sure that is
    live          the newest minutes of a city: who watches open alerts, who warns
    day           the two kernels of a local day, from readings to what it contributes
    day_end       what the day after has to know of a day
    learning      thresholds of many days, from their histograms
    references    what a plant did in its verified period, or its first days
    calibration   what a confidence is worth
    conclusion    all that is known of one enterprise → its findings
    evaluation    how well all that works, against an answer key
    executors     where kernels run (`Executor`)
    results       where results are kept (`ResultStore`)
    planning      which days a change touches
    together      several coroutines, one error
    running       one batch to its end, or following live data
    pacing        who is looked at when, while following a large city
    bench         what the pipeline works with
    pipeline      the one module that does the I/O

Everything but `pipeline`, `running`, `series`, `results`, `executors`, `live.loading`,
`live.watching`, `live.warner` and `__main__` is pure. The result of a local day depends on that
day, the end of the day before and thresholds learned from day histograms, never on the order of
arrival or of computation.
"""
