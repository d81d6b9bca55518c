"""Words of the field for codes that come out of the store.

`N_` only marks a sentence for the catalogues; `word` gives it in a language. A code without a word
is shown as it is, so that a newer analytics never breaks a page.
"""

from collections.abc import Mapping
from types import MappingProxyType

from dashboards.i18n import Language
from wattwitness.domain.rules import CATALOGUE


def N_(message: str) -> str:  # noqa: N802 - the customary name, known to the extractor
    """Mark a sentence for extraction."""
    return message


WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "level": {
            "high": N_("high"),
            "medium": N_("medium"),
            "low": N_("low"),
            "info": N_("info"),
        },
        "alert": {
            "yellow": N_("Yellow alert"),
            "orange": N_("Orange alert"),
            "red": N_("Red alert"),
        },
        "role": {
            "main": N_("main meter"),
            "production": N_("production"),
            "treatment": N_("treatment"),
            "combined": N_("production and treatment"),
            "auxiliary": N_("auxiliary"),
        },
        "state": {
            "running": N_("running"),
            "standby": N_("standby"),
            "off": N_("off"),
            "unknown": N_("no data"),
        },
        "condition": {
            "online": N_("online"),
            "late": N_("late"),
            "silent": N_("silent"),
            "never": N_("never heard"),
        },
        "reject": {
            "malformed": N_("not readable"),
            "wrong_type": N_("wrong type or version"),
            "no_value": N_("neither power nor energy"),
            "no_offset": N_("time without offset"),
            "ts_future": N_("lies in the future"),
            "ts_past": N_("too far in the past"),
            "impossible": N_("physically impossible"),
            "bad_topic": N_("topic names no gateway"),
            "too_large": N_("message too large"),
            "refused_by_store": N_("refused by the database"),
            "unknown_gateway": N_("gateway not registered: waits"),
            "unknown_channel": N_("channel not registered: waits"),
        },
        "declared": {
            "maintenance": N_("maintenance"),
            "stop": N_("planned stop"),
            "power_cut": N_("power cut"),
            "trial": N_("trial run"),
            "holiday": N_("holiday"),
        },
        "declaration_status": {
            "accepted": N_("accepted"),
            "filed": N_("filed, not accepted"),
            "refused": N_("refused"),
        },
        "grade": {
            "A": N_("grade A"),
            "B": N_("grade B"),
            "B-": N_("grade B-"),
            "C": N_("grade C"),
            "D": N_("grade D"),
            "leading": N_("leading"),
            "none": N_("ungraded"),
        },
        "why": {
            "not_yet_judged": N_("this version does not judge the rule yet"),
            "not_applicable": N_("not applicable: there is nothing of this kind here"),
            "only_main_meter": N_("only a main meter: production and treatment are not apart"),
            "combined_meter": N_("production and treatment share a meter"),
            "no_production_meter": N_("no production circuit is metered"),
            "no_treatment_meter": N_("no treatment circuit is metered"),
            "no_pairing": N_("no pairing says which treatment belongs to which production"),
            "below_resolution": N_("runs below what its meter can resolve"),
            "too_little_history": N_("never seen running, and no rated power is registered"),
        },
        "evidence": {
            "production_mean": N_("Production, mean"),
            "production_energy": N_("Production, energy"),
            "production_running_threshold": N_("Production counts as running from"),
            "treatment_mean": N_("Treatment, mean"),
            "treatment_running_level": N_("Treatment, usual when running"),
            "treatment_running_threshold": N_("Treatment counts as running from"),
            "main_mean": N_("Main meter, mean"),
            "known_minutes": N_("Time with data"),
            "missing_minutes": N_("Time without data"),
            "coverage": N_("Data coverage"),
            "required_minutes": N_("Reported from a length of"),
            "required_by": N_("This length comes from"),
            "levels": N_("Levels are"),
        },
        "value": {
            "learned": N_("learned from its own history"),
            "nameplate": N_("the nameplate's"),
            "verified": N_("learned in a verified period"),
            "episode": N_("the rule"),
            "lawful_lag": N_("the lawful lag of the pairing"),
            "duty_cycle": N_("the lawful rests of a duty-cycled unit"),
        },
    }
)


def word(language: Language, group: str, code: str) -> str:
    """The word for a code of a group in a language."""
    if group == "kind":
        rule = CATALOGUE.get(code)
        return code if rule is None else (rule.zh if language.code == "zh" else rule.en)
    message = WORDS.get(group, {}).get(code)
    return language.gettext(message) if message else code.replace("_", " ")
