"""Words of alerts and plans for codes; joined to the others in `words`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def N_(message: str) -> str:  # noqa: N802 - the customary name, known to the extractor
    """Mark a sentence for extraction."""
    return message


ALERT_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "alert_level": {
            "yellow": N_("yellow"),
            "orange": N_("orange"),
            "red": N_("red"),
        },
        "alert_standing": {
            "announced": N_("announced"),
            "in_force": N_("in force"),
            "lifted": N_("lifted"),
        },
        "alert_act": {
            "declared": N_("declared"),
            "changed": N_("level changed"),
            "lifted": N_("lifted"),
            "amended": N_("corrected"),
            "imported": N_("imported"),
            "saved": N_("saved"),
            "removed": N_("removed"),
        },
        "alert_field": {
            "alert_id": N_("alert"),
            "level": N_("level"),
            "issued_at": N_("issued"),
            "response_from": N_("response from"),
            "lifted_at": N_("lifted at"),
            "districts": N_("districts"),
            "action": N_("measure"),
            "scope": N_("scope"),
            "limit_pct": N_("limit in %"),
            "hours_from": N_("hours from"),
            "hours_to": N_("hours to"),
            "grace_min": N_("grace in minutes"),
        },
        "plan_standing": {
            "verifiable": N_("verifiable"),
            "weak": N_("weakly verifiable"),
            "unverifiable": N_("not verifiable"),
        },
        "plan_why": {
            "no_measure": N_("no measure at this level, though the grade asks for one"),
            "scope_names_nothing": N_("the scope names no circuit that is metered"),
            "names_no_production": N_("the scope names no production circuit"),
            "part_names_nothing": N_("a part of the scope names no circuit that is metered"),
            "below_resolution": N_("runs below what its meter can resolve"),
            "interval_too_long": N_("readings are too far apart to count minutes"),
            "no_register": N_("no energy register is read"),
            "no_data": N_("a circuit has sent nothing for 60 days"),
            "short_history": N_("less than ten days of history: no baseline yet"),
            "only_main_meter": N_("only a main meter: production is not apart"),
            "names_treatment": N_("the scope names treatment, which has to stay on"),
            "combined_meter": N_("production and treatment share a meter"),
            "coarse_interval": N_("readings more than 5 minutes apart"),
            "never_ran": N_("a circuit was never seen running"),
            "new_meter": N_("less than ten days of history: what is usual is not known"),
            "small_cut": N_("a cut of less than 30 % is within what plants vary anyway"),
        },
        "refusal": {
            "response_from is before issued_at": N_("The response begins before it was issued."),
            "lifted_at is not after issued_at": N_("The lift is not after the issue."),
            "the change was issued before the alert": N_(
                "The change was issued before the alert was."
            ),
            "the change begins before the alert does": N_(
                "The change begins before the alert does: correct the alert first."
            ),
            "the alert had been lifted by then": N_("The alert had been lifted by then."),
            "the alert is lifted before that": N_("The alert is lifted before that."),
            "the alert has been lifted already": N_("The alert has been lifted already."),
            "the alert has this level then already": N_("The alert has this level then already."),
            "the alert is so already": N_("The alert is so already; nothing was changed."),
            "the alert has changed meanwhile": N_(
                "Somebody changed the alert since this page was opened: look at it again."
            ),
            "the plan has this measure already": N_(
                "The plan has this measure already; nothing was changed."
            ),
            "the plan has no such measure": N_("The plan has no such measure."),
            "a limit needs limit_pct, the share that may still be used": N_(
                "A limit needs the share that may still be used."
            ),
            "scope names nothing": N_("Choose a scope."),
            "hours needs the span when production is allowed, such as 22:00-06:00": N_(
                "Write the allowed hours as 22:00-06:00."
            ),
            "there is no alert {alert_id!r}": N_("There is no alert {alert_id}."),
            "there is an alert {alert_id!r} already": N_("There is an alert {alert_id} already."),
            "there is no enterprise {name!r}": N_("There is no enterprise {name}."),
            "no enterprise is in district {district!r}": N_(
                "No enterprise is in district {district}."
            ),
            "{part!r} is neither a circuit nor a line of {name!r}": N_(
                "{part} is neither a circuit nor a line of {name}."
            ),
            "{name!r} is not under an alert {alert_id!r}": N_(
                "{name} is not under an alert {alert_id}."
            ),
            "the promised time is past": N_("The promised time is past: write when it will be."),
            "no level": N_("Choose a level."),
            "no action": N_("Choose a measure."),
            "no time": N_("A time is missing, or is none."),
            "no hours": N_("Write the allowed hours as 22:00-06:00."),
            "no number": N_("A number is missing, or out of bounds."),
            "no reason": N_("Write the reason."),
            "no actor": N_("Write who does it."),
        },
    }
)
"""Group → code → sentence."""
