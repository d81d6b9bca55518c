"""The progress of every epoch of every gateway, and what each was told last."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypedDict

from collector.held import Held
from collector.sequence import Arrival, Progress, Run
from collector.source import Proof
from wattwitness.domain.ingest import EpochMark
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
        self._planned: dict[EpochName, Progress] = {}  # newer than what is committed
        for name, seq in epochs.items():
            self._keep(name, Progress(seq))

    def progress(self, name: EpochName) -> Progress:
        """What is committed of an epoch."""
        epochs = self._progress.get(name[0])
        return _NEW if epochs is None else epochs.get(name[1], _NEW)

    def confirmed(self, name: EpochName) -> int | None:
        """The committed prefix, None without a base."""
        return self.progress(name).prefix

    @property
    def holes(self) -> int:
        """How many epochs have a hole."""
        return len(self._missing)

    def missing(self) -> dict[EpochName, Run]:
        """The first hole of each epoch that has one: first and last missing number."""
        return dict(self._missing)

    def plan(self, messages: Iterable[Held]) -> dict[EpochName, tuple[Progress, Progress]]:
        """The progress of the touched epochs before and after these messages are committed.

        Before means: once what was planned earlier is committed, which it will be first.
        """
        arrivals: dict[EpochName, list[Arrival]] = {}
        for held in messages:
            mark, gateway_id = held.mark, held.gateway_id
            if mark is not None and gateway_id is not None:
                name = (gateway_id, mark.epoch)
                if (came := arrivals.get(name)) is None:
                    came = arrivals[name] = []
                came.append(held.arrival(mark))
        found = {}
        for name, came in arrivals.items():
            before = self._planned.get(name) or self.progress(name)
            after = self._planned[name] = before.take(came)
            found[name] = before, after
        return found

    def forget_planned(self) -> None:
        """What was planned and is not committed is planned anew."""
        self._planned.clear()

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
            if self._planned.get(name) is progress:
                del self._planned[name]
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


class Marks(TypedDict):
    """What a batch says about epochs."""

    epochs: Mapping[EpochName, int]
    gaps: Mapping[EpochName, EpochMark]
    begun: Sequence[EpochName]


def epoch_marks(progress: Mapping[EpochName, tuple[Progress, Progress]]) -> Marks:
    """What is to be kept of each epoch, from its progress before and after a batch."""
    epochs: dict[EpochName, int] = {}
    gaps: dict[EpochName, EpochMark] = {}
    for name, (old, new) in progress.items():
        if new.is_odd or (old.is_odd and new != old):
            if new is not old:
                gaps[name] = _mark(old, new)
        elif new.prefix is not None and new.prefix != old.prefix:
            epochs[name] = new.prefix
    begun = [name for name, (old, _) in progress.items() if old is _NEW]
    return Marks(epochs=epochs, gaps=gaps, begun=begun)


def _mark(old: Progress, new: Progress) -> EpochMark:
    first, last = new.missing or (None, None)
    return EpochMark(
        confirmed=new.prefix,
        highest=new.highest,
        first_missing=first,
        last_missing=last,
        missing=new.missing_count,
        given_up=new.given_up - old.given_up,
        began_middle=new.began_middle,
    )
