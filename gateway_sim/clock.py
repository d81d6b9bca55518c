"""Simulated time: starts at a given instant and runs at a rate."""

from collections.abc import Callable

US_PER_SECOND = 1_000_000


class SimulatedClock:
    """Simulated time against a monotonic one.

    Args:
        start_us: simulated time at the moment of creation [µs since 1970].
        rate: simulated seconds per real second; 1 = real time, 60 = a minute per second.
        monotonic: seconds of real time; `time.monotonic` outside tests.
    """

    def __init__(self, start_us: int, rate: float, monotonic: Callable[[], float]) -> None:
        if rate <= 0:
            raise ValueError(f"a clock needs a rate above 0, not {rate}")
        self._start_us = start_us
        self._rate = rate
        self._monotonic = monotonic
        self._began_s = monotonic()

    def now_us(self) -> int:
        """Simulated now [µs since 1970]."""
        return self._start_us + round((self._monotonic() - self._began_s) * self._rate * 1_000_000)

    def wait_s(self, until_us: int) -> float:
        """Real seconds until it is `until_us`; 0 if that is past."""
        return max(0.0, (until_us - self.now_us()) / self._rate / US_PER_SECOND)
