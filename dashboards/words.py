"""Words of the field for codes that come out of the store.

`N_` only marks a sentence for the catalogues; `word` gives it in a language. A code without a word
is shown as it is, so that a newer analytics never breaks a page.
"""

from collections.abc import Mapping
from types import MappingProxyType

from dashboards.alert_words import ALERT_WORDS
from dashboards.i18n import Language
from dashboards.verdict_words import VERDICT_WORDS
from wattwitness.domain.errors import InputRefusedError
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
            "too_little_history": N_("too little history: never seen running, or no reference yet"),
            "no_main_meter": N_("no main meter"),
            "no_sub_meters": N_("no meter is registered below the main meter"),
            "duty_cycled": N_("duty-cycled: its rests are lawful"),
            "no_voltage_or_power_factor": N_("neither voltage nor power factor is measured"),
            "no_three_phases": N_("three phases are not measured"),
            "no_register": N_("no energy register is read"),
            "no_receipt_times": N_("when readings arrived is not known"),
            "power_only": N_("only power is measured"),
            "like_a_resistor": N_("the unit itself looks like a resistor"),
            "too_coarse": N_("the values are too coarse, or hardly move"),
        },
        "status": {
            "open": N_("open"),
            "reopened": N_("re-opened"),
            "confirmed": N_("confirmed"),
            "dismissed": N_("dismissed"),
            "decided": N_("decided"),
            "any": N_("any"),
        },
        "outcome": {
            "confirmed": N_("confirmed"),
            "dismissed": N_("dismissed"),
            "not_yet": N_("open again"),
        },
        "decide": {
            "confirmed": N_("Confirm"),
            "dismissed": N_("Dismiss"),
            "not_yet": N_("Take it back"),
        },
        "matter": {
            "treatment": N_("treatment"),
            "metering": N_("meters and data"),
            "curtailment": N_("curtailment"),
            "capacity": N_("capacity"),
        },
        "unit": {
            "min": N_("min"),
            "h": N_("h"),
            "d": N_("d"),
            "s": N_("s"),
            "kWh/d": N_("kWh/d"),
            "%/d": N_("%/d"),
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
            "late": N_("Late by"),
            "lawful_lag": N_("Lawful lag"),
            "reference_level": N_("Reference level"),
            "level_share": N_("Share of its reference"),
            "lowest_lawful_share": N_("Lowest share in its reference"),
            "reference": N_("Reference is"),
            "level_reached": N_("Level reached, of its reference"),
            "decline": N_("Decline"),
            "days": N_("Over"),
            "power_factor": N_("Power factor"),
            "power_factor_reference": N_("Power factor in its reference"),
            "voltage_exponent": N_("Power follows voltage to the"),
            "voltage_exponent_reference": N_("Exponent in its reference"),
            "current_imbalance": N_("Imbalance of currents"),
            "current_imbalance_reference": N_("Imbalance in its reference"),
            "on_share_watched": N_("Treatment on, inspection hours"),
            "on_share_unwatched": N_("Treatment on, other hours"),
            "running_watched": N_("Production, inspection hours"),
            "running_unwatched": N_("Production, other hours"),
            "contrast": N_("Contrast"),
            "sub_meters_mean": N_("Sub-meters together, mean"),
            "residual_mean": N_("Main meter less sub-meters, mean"),
            "usual_residual": N_("Main meter less sub-meters, usual"),
            "occasion": N_("It began with"),
            "after_occasion": N_("Began after it by"),
            "chance": N_("Chance alone would explain it with"),
            "silent_circuits": N_("Silent circuits"),
            "energy_in_gap": N_("Energy used meanwhile, by registers"),
            "rolled_back": N_("Register went back by"),
            "jumped": N_("Register jumped by"),
            "register_before": N_("Register before"),
            "register_after": N_("Register after"),
            "looks_like": N_("It looks like"),
            "energy_of_power": N_("Energy by power"),
            "energy_of_register": N_("Energy by register"),
            "register_share": N_("Register counted, of power"),
            "minutes": N_("Stood still for"),
            "power": N_("at a power of"),
            "register_steps_overdue": N_("Register steps overdue"),
            "blocks": N_("Quarter hours"),
            "hours_before": N_("Repeats what was before by"),
            "circuits": N_("Circuits"),
            "skew": N_("Clock ahead by, median"),
            "largest_skew": N_("Clock ahead by, largest"),
            "u_a_mean": N_("Voltage A, mean"),
            "u_b_mean": N_("Voltage B, mean"),
            "u_c_mean": N_("Voltage C, mean"),
            "i_a_mean": N_("Current A, mean"),
            "i_b_mean": N_("Current B, mean"),
            "i_c_mean": N_("Current C, mean"),
            "energy_before_alert": N_("Energy in the 24 h before the response"),
            "usual_energy": N_("Usual energy"),
            "ratio": N_("Times the usual"),
            "like_days": N_("Days compared with"),
            "daily_energy": N_("Daily energy"),
            "daily_energy_before": N_("Daily energy before"),
            "growth": N_("Growth"),
            "alert": N_("Alert"),
            "alert_level": N_("Alert level"),
            "verdict": N_("Verdict"),
            "ordered": N_("Ordered"),
            "running_minutes": N_("Ran outside what is allowed"),
            "allowed_minutes": N_("Allowed"),
            "usual_minutes": N_("Ran on like days"),
            "running_share": N_("Ran, of what is usual"),
            "energy_used": N_("Energy used"),
            "usual_energy_low": N_("Usual energy, at least"),
            "usual_energy_high": N_("Usual energy, at most"),
            "missed_share": N_("Share of the cut that was missed"),
            "circuits_ran": N_("Circuits that ran"),
            "circuits_usual": N_("Circuits that usually run"),
        },
        "value": {
            "learned": N_("learned from its own history"),
            "nameplate": N_("the nameplate's"),
            "verified": N_("learned in a verified period"),
            "episode": N_("the rule"),
            "lawful_lag": N_("the lawful lag of the pairing"),
            "duty_cycle": N_("the lawful rests of a duty-cycled unit"),
            "provisional": N_("provisional: what its first days showed"),
            "replaced_meter": N_("a meter that was replaced"),
            "alert": N_("the response to an alert"),
            "inspection": N_("an inspection"),
            "yellow": N_("yellow"),
            "orange": N_("orange"),
            "red": N_("red"),
            "violated": N_("not cut"),
            "partial": N_("partly cut"),
            "stop": N_("stop"),
            "limit": N_("limit"),
            "hours": N_("allowed hours"),
        },
    }
)


_GROUPS: Mapping[str, Mapping[str, str]] = {**WORDS, **ALERT_WORDS, **VERDICT_WORDS}


def words_of(language: Language, group: str) -> dict[str, str]:
    """All words of a group in a language, for scripts; code → word."""
    return {code: language.gettext(message) for code, message in _GROUPS[group].items()}


def word(language: Language, group: str, code: str) -> str:
    """The word for a code of a group in a language."""
    if group == "kind":
        rule = CATALOGUE.get(code)
        return code if rule is None else (rule.zh if language.code == "zh" else rule.en)
    message = _GROUPS.get(group, {}).get(code)
    return language.gettext(message) if message else code.replace("_", " ")


def refusal(language: Language, refused: InputRefusedError) -> str:
    """What was refused and why, in a language; in English where there is no word for it."""
    if refused.template not in _GROUPS["refusal"]:
        return refused.message
    return word(language, "refusal", refused.template).format(**refused.values)
