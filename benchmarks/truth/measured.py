"""What one enterprise, a city, or several together, say about the software."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.evaluation.episodes import EpisodeScore, pooled_episodes, score_episodes
from analytics.evaluation.intervals import Proportion, pooled
from analytics.evaluation.leads import LeadOutcome
from analytics.evaluation.matching import Span
from analytics.evaluation.states import StateScore, pooled_states
from benchmarks.truth.answers import KINDS, Answers, answers_of
from benchmarks.truth.states import score_states
from benchmarks.truth.trial import Job, Trial
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import US_PER_DAY
from wattwitness.domain.leads import Lead
from wattwitness.domain.rules import CATALOGUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The counts behind the figures."""

    enterprises: int
    enterprise_days: float
    unlawful_days: int  # enterprise-days touched by anything unlawful
    confused: int  # enterprises that meet a lawful confuser
    pairings: int
    readings: int
    seconds: float  # of the analysis
    kinds: Mapping[str, EpisodeScore]
    untestable: Mapping[str, int]  # kind → planted where the software said that it cannot test it
    confusers: Mapping[str, Proportion]  # confuser → of these, met by a false episode of any kind
    states: Mapping[str, StateScore]  # by role
    leads: Sequence[LeadOutcome]  # of all levels but information
    info_leads: Sequence[LeadOutcome]

    @property
    def suspicions(self) -> EpisodeScore:
        """All kinds that are more than information, together."""
        return pooled_episodes([s for k, s in self.kinds.items() if not CATALOGUE[k].informs])

    @property
    def everything(self) -> EpisodeScore:
        """All kinds together."""
        return pooled_episodes(list(self.kinds.values()))

    @property
    def enterprise_months(self) -> float:
        """Of 30 days."""
        return self.enterprise_days / 30.0


def found_span(episode: Episode) -> Span:
    """An episode as it is scored."""
    return Span(
        enterprise_id=episode.enterprise_id,
        kind=episode.kind,
        from_=episode.from_,
        to=episode.to,
        subject=episode.pairing_id or "",
        circuits=frozenset(episode.circuits),
        detected_at=episode.detected_at,
        confidence=episode.confidence,
    )


def _kinds(answers: Answers, found: Sequence[Span]) -> dict[str, EpisodeScore]:
    planted = (*answers.knowable, *answers.unknowable)
    return {
        kind: score_episodes(
            kind,
            [s for s in answers.knowable if s.kind == kind],
            [s for s in found if s.kind == kind],
            [s for s in planted if s.kind != kind],
            answers.lawful,
            [s for s in answers.unknowable if s.kind == kind],
        )
        for kind in KINDS
    }


def _confusers(kinds: Mapping[str, EpisodeScore], answers: Answers) -> dict[str, Proportion]:
    """A lawful situation is wrongly flagged if a false episode of any kind touches it."""
    false = [f for score in kinds.values() for f in score.false]
    found: dict[str, list[bool]] = {}
    for span in answers.lawful:
        wrong = any(f.from_ < span.to and span.from_ < f.to for f in false)
        found.setdefault(span.kind, []).append(wrong)
    return {name: Proportion(sum(flags), len(flags)) for name, flags in found.items()}


def _outcome(
    lead: Lead, episodes: Mapping[str, Episode], false: set[tuple[str, datetime, frozenset[str]]]
) -> LeadOutcome:
    own = [episodes[e] for e in lead.episodes]
    true = any((e.kind, e.from_, frozenset(e.circuits)) not in false for e in own)
    return LeadOutcome(score=lead.score, level=lead.level.value, true=true)


def _scored_elsewhere(job: Job, episode: Episode) -> bool:
    """An order that was really not followed: how well these are found, `--verdicts` tells."""
    return episode.kind == "curtailment_violation" and any(
        episode.from_ < to and from_ < episode.to for from_, to in job.unfollowed
    )


def measure(job: Job, trial: Trial) -> Measured:
    """Score what was said about one enterprise."""
    answers = answers_of(job, trial.findings.testability)
    open_ = [
        e
        for e in trial.findings.episodes
        if e.suppressed_by is None and not _scored_elsewhere(job, e)
    ]
    kinds = _kinds(answers, [found_span(e) for e in open_])
    false = {(f.kind, f.from_, f.circuits) for s in kinds.values() for f in s.false}
    by_id = {e.episode_id: e for e in trial.findings.episodes}
    leads = [(lead, _outcome(lead, by_id, false)) for lead in trial.findings.leads]
    return Measured(
        enterprises=1,
        enterprise_days=(job.end_us - job.start_us) / US_PER_DAY,
        unlawful_days=answers.unlawful_days,
        confused=int(bool(answers.lawful)),
        pairings=len(job.registry.pairings),
        readings=trial.readings,
        seconds=trial.seconds,
        kinds=kinds,
        untestable={k: sum(s.kind == k for s in answers.untestable) for k in kinds},
        confusers=_confusers(kinds, answers),
        states=score_states(job, trial.states),
        leads=[outcome for _, outcome in leads if outcome.level != "info"],
        info_leads=[outcome for _, outcome in leads if outcome.level == "info"],
    )


def pool(parts: Iterable[Measured]) -> Measured:
    """Several as one larger trial: counts are added, never figures averaged."""
    every = list(parts)
    confusers = sorted({name for m in every for name in m.confusers})
    return Measured(
        enterprises=sum(m.enterprises for m in every),
        enterprise_days=sum(m.enterprise_days for m in every),
        unlawful_days=sum(m.unlawful_days for m in every),
        confused=sum(m.confused for m in every),
        pairings=sum(m.pairings for m in every),
        readings=sum(m.readings for m in every),
        seconds=sum(m.seconds for m in every),
        kinds={kind: pooled_episodes([m.kinds[kind] for m in every]) for kind in every[0].kinds},
        untestable={k: sum(m.untestable[k] for m in every) for k in every[0].untestable},
        confusers={
            name: pooled(m.confusers[name] for m in every if name in m.confusers)
            for name in confusers
        },
        states={role: pooled_states(m.states[role] for m in every) for role in every[0].states},
        leads=[lead for m in every for lead in m.leads],
        info_leads=[lead for m in every for lead in m.info_leads],
    )
