"""The figures as text."""

from benchmarks.fuzz.chapters import Result


def print_report(memory: Result, database: Result) -> bool:
    """Both parts side by side; whether everything agreed."""
    both = (memory, database)
    _line("", "in memory", "PostgreSQL")
    _line("payloads", *(r.payloads for r in both))
    _line("readings received", *(r.outcome.received for r in both))
    _line("  stored", *(r.outcome.stored for r in both))
    _line("  duplicate", *(r.outcome.duplicates for r in both))
    _line("  revision", *(r.outcome.revisions for r in both))
    _line("  rejected", *(r.outcome.rejected for r in both))
    for code in sorted({code for r in both for code in r.outcome.reasons}):
        _line(f"    {code.value}", *(r.outcome.reasons.get(code, 0) for r in both))
    fates = [
        r.outcome.stored + r.outcome.duplicates + r.outcome.revisions + r.outcome.rejected
        for r in both
    ]
    _line("sum of the four", *fates)
    _line("good beside bad in one message", *(r.good_beside_bad for r in both))
    _line(
        "collector CPU per payload [µs]", *(round(_per(r.busy_s, r.payloads) * 1e6) for r in both)
    )
    _line("payloads/s and process, checks too", *(round(_per(r.payloads, r.took_s)) for r in both))
    print("kinds of payloads: " + ", ".join(f"{k} {n}" for k, n in _kinds(both)))
    mismatches = [line for r in both for line in r.mismatches]
    _line("mismatches", *(len(r.mismatches) for r in both))
    for line in mismatches[:10]:
        print(f"  {line[:600]}")
    whole = all(n == r.outcome.received for n, r in zip(fates, both, strict=True))
    return whole and not mismatches


def _line(name: str, *figures: object) -> None:
    print(f"{name:<36}" + "".join(f"{figure:>14}" for figure in figures))


def _per(one: float, other: float) -> float:
    return one / other if other else 0.0


def _kinds(both: tuple[Result, ...]) -> list[tuple[str, int]]:
    return (both[0].kinds + both[1].kinds).most_common()
