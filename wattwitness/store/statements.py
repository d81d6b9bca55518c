"""Named SQL: `-- name: load_circuits` begins a statement, the next name ends it."""

from collections.abc import Mapping
from functools import cache

from wattwitness.store.database import SQL

_MARK = "-- name: "


@cache
def statements(noun: str) -> Mapping[str, str]:
    """The statements of `sql/<noun>.sql` by name."""
    text = (SQL / f"{noun}.sql").read_text(encoding="utf-8")
    found = {}
    for part in text.split(_MARK)[1:]:
        name, _, sql = part.partition("\n")
        found[name.strip()] = sql.strip()
    return found
