"""The progress of every epoch of every gateway, and what each was told last."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from collector.held import Held
from collector.sequence import Arrival, Progress, Run
from collector.source import Proof
from wattwitness.wire.payload import Ack

EpochName = tuple[str, str]  # gateway_id, epoch
MAX_EPOCHS_PER_GATEWAY: Final = 16
_NEW: Final = Progress()


class Ledger:
    """Committed progress per epoch; the last few epochs of each gateway are remembered.

    Memory is bounded per gateway: a gateway that changes its epoch with every message forgets its
    own progress, not that of others.
    """

    def __init__(self, epochs: Mapping[EpochName, int], repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._progress: dict[str, OrderedDict[str, Progress]] = {}
        self._told: dict[EpochName, tuple[int, float]] = {}
        self._missing: dict[EpochName, Run] = {}
        for name, seq in epochs.items():
            self._keep(name, Progress(seq))

    def progress(self, name: EpochName) -> Progress:
        """What is committed of an epoch."""
        epochs = self._progress.get(name[0])
        return _NEW if epochs is None else epochs.get(name[1], _NEW)

    def confirmed(self, name: EpochName) -> int | None:
        """The committed prefix, None without a base."""
        return self.progress(name).prefix

    def missing(self) -> dict[EpochName, Run]:
        """The first hole of each epoch that has one: first and last missing number."""
        return dict(self._missing)

    def plan(self, messages: Iterable[Held]) -> dict[EpochName, Progress]:
        """The progress of the touched epochs once these messages are committed."""
        arrivals: dict[EpochName, list[Arrival]] = {}
        for held in messages:
            mark, gateway_id = held.mark, held.gateway_id
            if mark is not None and gateway_id is not None:
                arrivals.setdefault((gateway_id, mark.epoch), []).append(held.arrival(mark))
        return {name: self.progress(name).take(came) for name, came in arrivals.items()}

    def committed(
        self, planned: Mapping[EpochName, Progress], now_s: float, now_ms: int
    ) -> Sequence[Proof]:
        """Keep the planned progress and name the proofs to tell.

        An unchanged number is told again (it makes the gateway send from there), but not more often
        than `repeat_s`.
        """
        proofs = []
        for name, progress in planned.items():
            self._keep(name, progress)
            seq = progress.confirmed
            told, told_at_s = self._told.get(name, (None, 0.0))
            if seq == told and now_s - told_at_s < self._repeat_s:
                continue
            self._told[name] = (seq, now_s)
            proofs.append(Proof(name[0], Ack(name[1], seq, now_ms)))
        return proofs

    def forget_told(self) -> None:
        """What was told on a broken connection may not have arrived."""
        self._told.clear()

    def _keep(self, name: EpochName, progress: Progress) -> None:
        epochs = self._progress.setdefault(name[0], OrderedDict())
        epochs[name[1]] = progress
        epochs.move_to_end(name[1])
        if (hole := progress.missing) is not None:
            self._missing[name] = hole
        else:
            self._missing.pop(name, None)
        if len(epochs) > MAX_EPOCHS_PER_GATEWAY:
            forgotten, _ = epochs.popitem(last=False)
            self._told.pop((name[0], forgotten), None)
            self._missing.pop((name[0], forgotten), None)
