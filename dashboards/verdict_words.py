"""Words of verdicts and of the board for codes; joined to the others in `words`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def N_(message: str) -> str:  # noqa: N802 - the customary name, known to the extractor
    """Mark a sentence for extraction."""
    return message


VERDICT_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "standing": {
            "violated": N_("not cut"),
            "partial": N_("partly cut"),
            "insufficient_data": N_("cannot say"),
            "in_grace": N_("in grace"),
            "complied": N_("cut made"),
            "exempt": N_("exempt"),
        },
        "cause": {
            "time": N_("as time went on"),
            "late_data": N_("with late data"),
            "registry": N_("after a change of plans, alerts or declarations"),
        },
        "measure": {
            "stop": N_("stop"),
            "limit": N_("limit"),
            "hours": N_("allowed hours"),
        },
        "verdict_why": {
            "not_judged": N_("not judged yet"),
            "not_begun": N_("the response has not begun"),
            "grace": N_("its grace, or its allowed hours, still run"),
            "just_begun": N_("judged for too short a time yet"),
            "low_coverage": N_("too many minutes are unknown"),
            "missing_minutes": N_("missing minutes could turn it"),
            "few_like_days": N_("few like days to compare with"),
            "wide_interval": N_("its usual energy varies too much to tell"),
            "line_count": N_("decided by how many circuits ran, and how long"),
            "unknown_scope": N_("a circuit in scope tells nothing"),
            "no_circuits": N_("no circuit is registered"),
            "no_cut": N_("the limit asks for no cut"),
            "usually_idle": N_("would have stood still anyway"),
            "own_swing": N_("falls as low by itself now and then"),
            "near_allowed": N_("little more than allowed, by the main meter alone"),
            "shifted_unmetered": N_("the main meter saw power that no sub-meter saw"),
            "declared": N_("a declaration covers it"),
            "called_off": N_("the alert was called off before its response"),
            "voluntary": N_("its grade takes measures of its own will"),
            "no_measure": N_("no measure at this level"),
        },
        "verdict_note": {
            "shifted_before": N_("produced more before the alert"),
            "shifted_unmetered": N_("production moved to feeders without a meter"),
            "shifted_night": N_("production moved into the night"),
            "silent_with_alert": N_("meters fell silent with the alert"),
            "treatment_off_while_held": N_("treatment off while production goes on"),
            "not_judged_then": N_("not judged at that minute"),
        },
    }
)
"""Group → code → sentence."""
