"""The live stream of a plant: its readings in the order in which they leave the gateway.

It continues the history without a seam: what the history left out because it had not arrived by its
end (a network outage just then) is the first that the feed gives.
"""

import numpy as np

from gateway_sim.plant import Plant
from wattwitness.domain.readings import Readings, empty_readings

HORIZON_US = 3600 * 1_000_000
LATEST_US = 30 * 3600 * 1_000_000  # no reading comes later than this after its time


class PlantFeed:
    """One plant's readings from an instant on.

    Args:
        plant: the plant.
        from_us: readings received at or after this instant [µs since 1970] are given.
    """

    def __init__(self, plant: Plant, from_us: int) -> None:
        self.plant = plant
        origin_us = plant.origin_s * 1_000_000
        self._made_to_us = max(origin_us, from_us)
        late = plant.readings(max(origin_us, from_us - LATEST_US), self._made_to_us)
        self._pending = late[late["received_at"] >= from_us]

    def prepare(self, until_us: int) -> None:
        """Compute samples at least up to `until_us`."""
        if until_us <= self._made_to_us:
            return
        fresh = self.plant.readings(self._made_to_us, until_us)
        self._made_to_us = until_us
        self._pending = np.concatenate([self._pending, fresh])

    def due(self, now_us: int) -> Readings:
        """Readings that have left by `now_us` and were not given before; oldest instant first."""
        if now_us > self._made_to_us:
            self.prepare(now_us + HORIZON_US)
        gone = self._pending["received_at"] <= now_us
        if not gone.any():
            return empty_readings()
        rows = self._pending[gone]
        self._pending = self._pending[~gone]
        return rows[np.lexsort((rows["circuit"], rows["ts"], rows["received_at"]))]
