import random

from wattwitness.runtime.backoff import Backoff


def test_backoff_doubles_is_capped_and_jittered():
    backoff, chance = Backoff(0.5, 30.0), random.Random(1)
    waits = [[backoff.delay_s(n, chance) for _ in range(50)] for n in (1, 2, 3, 20, 10**6)]
    for some, ceiling in zip(waits, (0.5, 1.0, 2.0, 30.0, 30.0), strict=True):
        assert ceiling / 2 <= min(some) < max(some) <= ceiling
