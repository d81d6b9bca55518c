"""When a batch closes, what is refused, how failures are waited out."""

from dataclasses import dataclass, field

from collector.bounds import Calendar
from collector.waiting import Flood
from wattwitness.runtime.backoff import Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a batch closes, what is refused, how failures are waited out."""

    calendar: Calendar
    batch_readings: int = 5000
    most_readings: int = 0  # to which a batch grows while another one is written; 0 = no more
    batch_bytes: int = 8 * 1024 * 1024  # of payload: what is refused or parked is kept whole
    batch_wait_s: float = 0.2
    max_payload_bytes: int = 262_144
    stale_messages: int = 65_535  # messages kept from earlier connections
    repeat_proof_s: float = 1.0
    retry: Backoff = field(default_factory=Backoff)
    flood: Flood = field(default_factory=Flood)
    pressure_messages: int = 5000  # so many waiting are pressure, as are more than fill a batch
