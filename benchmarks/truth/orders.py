"""Alerts and what plants do about them: cities, seeds, and verdicts beside what is true.

Apart from the other kinds: these cities have a season of alerts, plans of every kind and conducts
of every kind, and seeds of their own.
"""

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

from analytics.calibration import Calibration, verdict_kind
from analytics.evaluation.verdicts import VerdictOutcome
from benchmarks.truth.seeds import SHAPES, START, Size
from benchmarks.truth.trial import Job, jobs_of, run
from gateway_sim.answer_key import true_verdicts
from gateway_sim.city import City, build_city
from gateway_sim.orders.conducts import EVEN_CONDUCTS
from gateway_sim.orders.truth import TrueMeasure, TrueVerdict
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import MeasureAction
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode

TUNE_SEEDS = (201, 202, 203, 204, 205)
TEST_SEEDS = (9201, 9202, 9203, 9204, 9205)
"""Whatever is tuned is tuned on TUNE_SEEDS; TEST_SEEDS are for the figures that are told."""
SIZES = MappingProxyType(
    {
        "small": Size(enterprises=20, days=40),
        "long": Size(enterprises=40, days=75),
    }
)
MAIN_ONLY_SHARE = 0.12  # of the plants, beside the one in twenty of every city
PLAYED_ELSEWHERE = (
    "curtailment_violation",
    "data_gap_at_alert",
    "production_surge",
    "declared_holiday",
)
"""Kinds of incidents that conducts play here."""
NOTES = MappingProxyType(
    {
        "shifted_before": "shifted_before",
        "by_night": "shifted_night",
        "unmetered": "shifted_unmetered",
        "silent": "silent_with_alert",
        "held_treatment_off": "treatment_off_while_held",
    }
)
"""Conduct → what has to be told beside its verdict."""


def scenario_of(size: Size, seed: int) -> Scenario:
    """The city of a size and seed: everything else happens in it as in any other."""
    return Scenario(
        enterprises=size.enterprises,
        days=size.days,
        seed=seed,
        alert="season",
        plans="varied",
        main_only=MAIN_ONLY_SHARE,
        shares={**SHAPES["default"], **dict.fromkeys(PLAYED_ELSEWHERE, 0.0)},
        conducts=EVEN_CONDUCTS,
    )


def use_of(seed: int) -> str:
    """What a seed may be used for."""
    return "test" if seed in TEST_SEEDS else "tuning" if seed in TUNE_SEEDS else "free"


def seeds_of(text: str) -> tuple[int, ...]:
    """`test`, `tune`, or numbers between commas.

    Raises:
        ValueError: none of these.
    """
    named = {"test": TEST_SEEDS, "tune": TUNE_SEEDS}
    return named.get(text) or tuple(int(part) for part in text.split(","))


def _meters(main_only: bool) -> str:  # noqa: FBT001 - reads as a question
    return "main meter only" if main_only else "named circuits"


def _measure_outcomes(truth: TrueVerdict, said: Verdict | None) -> Iterator[VerdictOutcome]:
    for true in truth.measures:
        found = _same(true, said)
        yield VerdictOutcome(
            name=f"{truth.enterprise_id} {truth.alert_id} {true.action} {','.join(true.scope)}",
            groups=frozenset(
                {true.action.value, f"{true.action.value}, {_meters(true.main_only)}"}
            ),
            true=true.verdict,
            said=VerdictCode.INSUFFICIENT_DATA if found is None else found.verdict,
            confidence=0.0 if found is None else found.confidence,
            shown=true.shown,
        )


def _same(true: TrueMeasure, said: Verdict | None) -> MeasureVerdict | None:
    """What was said about this very measure in this very phase."""
    for found in said.measures if said is not None else ():
        alike = (found.action, found.level, found.scope) == (true.action, true.level, true.scope)
        if (
            alike
            and to_us(found.from_) // 1_000_000 < true.to_s
            and true.from_s < to_us(found.to) // 1_000_000  # phases of one level may touch
        ):
            return found
    return None


def _outcome(truth: TrueVerdict, said: Verdict | None) -> VerdictOutcome:
    main_only = any(m.main_only for m in truth.measures)
    groups = {truth.conduct, "all"}
    if truth.measures:
        groups.add(_meters(main_only))
    return VerdictOutcome(
        name=f"{truth.enterprise_id} {truth.alert_id} {truth.conduct}",
        groups=frozenset(groups),
        true=truth.verdict,
        said=VerdictCode.INSUFFICIENT_DATA if said is None else said.verdict,
        confidence=0.0 if said is None else said.confidence,
        shown=truth.shown,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was said, beside what is true."""

    whole: Sequence[VerdictOutcome]  # of enterprises
    measures: Sequence[VerdictOutcome]  # of single measures
    notes: Sequence[
        tuple[str, bool, bool]
    ]  # (note, whether the conduct calls for it, whether told)


def outcomes_of(truths: Sequence[TrueVerdict], said: Sequence[Verdict]) -> Tried:
    """One outcome for each truth; what was not said is undecided."""
    by_alert = {(v.alert_id, v.enterprise_id): v for v in said}
    pairs = [(t, by_alert.get((t.alert_id, t.enterprise_id))) for t in truths]
    return Tried(
        whole=[_outcome(truth, verdict) for truth, verdict in pairs],
        measures=[o for truth, verdict in pairs for o in _measure_outcomes(truth, verdict)],
        notes=[
            (note, truth.conduct == conduct, verdict is not None and note in verdict.notes)
            for truth, verdict in pairs
            for conduct, note in NOTES.items()
        ],
    )


def pooled(parts: Iterable[Tried]) -> Tried:
    """Several as one larger trial."""
    every = list(parts)
    return Tried(
        whole=[o for part in every for o in part.whole],
        measures=[o for part in every for o in part.measures],
        notes=[n for part in every for n in part.notes],
    )


def _one(task: tuple[Job, Sequence[TrueVerdict], Calibration]) -> Tried:
    job, truths, calibration = task
    trial = run(job, calibration=calibration)
    return outcomes_of(truths, trial.findings.verdicts)


def _tasks(
    city: City, calibration: Calibration
) -> Iterator[tuple[Job, Sequence[TrueVerdict], Calibration]]:
    own: dict[str, list[TrueVerdict]] = {}
    for truth in true_verdicts(city):
        own.setdefault(truth.enterprise_id, []).append(truth)
    for job in jobs_of(city):
        yield job, own.get(job.plant.enterprise_id, []), calibration


def tried(size: Size, seed: int, calibration: Calibration, processes: int) -> Tried:
    """Verdicts of one city beside what is true."""
    return tried_city(build_city(scenario_of(size, seed), START), calibration, processes)


def tried_city(city: City, calibration: Calibration, processes: int) -> Tried:
    """Likewise of a city that is built already."""
    tasks = _tasks(city, calibration)
    if processes == 1:
        return pooled(map(_one, tasks))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return pooled(pool.map(_one, tasks, chunksize=2))


def predictions_by_kind(tried_: Tried) -> dict[str, list[tuple[float, bool]]]:
    """Kind of the table of confidence → (raw confidence, whether it was right), of measures."""
    found: dict[str, list[tuple[float, bool]]] = {}
    for o in (outcome for outcome in tried_.measures if outcome.decided):
        for action in MeasureAction:
            if action.value in o.groups:
                kind = verdict_kind(action, o.said)
                found.setdefault(kind, []).append((o.confidence, o.right))
    return found
