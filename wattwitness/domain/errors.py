"""The error tree: one class per remedy.

A broken world is an exception; refused input is a value (`rejects`), and so is thin evidence.

    WattWitnessError            one line for the user; commands exit with 1
    ├── InputRefusedError       a file, column, row or argument cannot be used as it is
    ├── StoreUnavailableError   the database cannot be reached or will not take data now
    │   └── StoreBusyError      another transaction holds the same rows; the same call may do
    ├── StoreRefusesError       the database will not have these values, now or later
    ├── BrokerUnavailableError  the MQTT broker cannot be reached or refuses us
    └── SetupError              something is missing or in the way on this machine
"""


class WattWitnessError(Exception):
    """Something failed; the message is one line and says how to mend it.

    Args:
        message: what failed; `{names}` in it are filled from `values`.
        remedy: how to mend it.
        values: kept apart from the words, for who translates them.
    """

    def __init__(self, message: str, remedy: str = "", **values: object) -> None:
        self.template, self.values = message, values
        self.message = message = message.format(**values) if values else message
        self.remedy = remedy
        super().__init__(f"{message} - {remedy}" if remedy else message)


class InputRefusedError(WattWitnessError):
    """A file, column, row or argument cannot be used as it is."""


class StoreUnavailableError(WattWitnessError):
    """The database cannot be reached or will not take data now."""


class StoreBusyError(StoreUnavailableError):
    """Another transaction holds the same rows; nothing was kept, and the same call may do."""


class StoreRefusesError(WattWitnessError):
    """The database will not have these values, now or later; nothing of the call was kept."""


class BrokerUnavailableError(WattWitnessError):
    """The MQTT broker cannot be reached or refuses us."""


class SetupError(WattWitnessError):
    """Something is missing or in the way on this machine."""
