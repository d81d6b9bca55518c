"""The live stream: one reader of the store, any number of listeners.

A watched task reads the figures while anyone listens. Every event carries the whole state, so a
listener that comes back after a break has missed nothing that matters.
"""

import asyncio
from collections.abc import AsyncIterator

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from dashboards.api.overview import OverviewRecord
from dashboards.desk import Desk
from dashboards.figures import read_figures
from wattwitness.domain.errors import StoreUnavailableError

log = structlog.get_logger()
router = APIRouter(tags=["overview"])
EVERY_S = 2.0
KEEP_ALIVE_S = 15.0
RETRY_MS = 3000


def event(name: str, number: int, data: str) -> str:
    """One server-sent event; `data` is a single line."""
    return f"event: {name}\nid: {number}\ndata: {data}\n\n"


class Live:
    """The newest event, and who waits for the next."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.listeners = 0
        self._number = 0
        self._text = ""
        self._closed = False
        self._changed = asyncio.Condition()

    async def _publish(self, name: str, data: str) -> None:
        async with self._changed:
            self._number += 1
            self._text = event(name, self._number, data)
            self._changed.notify_all()

    async def refresh(self) -> None:
        """Read the figures and send them; a store that is away is told, not hidden."""
        try:
            record = OverviewRecord.of(await read_figures(self.desk))
        except StoreUnavailableError as error:
            log.warning("figures_unavailable", reason=error.message)
            await self._publish("trouble", "{}")
        else:
            await self._publish("figures", record.model_dump_json(by_alias=True))

    async def watch(self, stop: asyncio.Event) -> None:
        """Until told to stop: refresh while anyone listens, then let every listener go."""
        try:
            while not stop.is_set():
                if self.listeners:
                    await self.refresh()
                try:
                    await asyncio.wait_for(stop.wait(), EVERY_S)
                except TimeoutError:
                    continue
        finally:
            await self.close()

    async def close(self) -> None:
        """End every stream."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def events(self) -> AsyncIterator[str]:
        """Events for one listener, beginning with the state now."""
        self.listeners += 1
        seen = 0
        try:
            yield f"retry: {RETRY_MS}\n\n"
            await self.refresh()
            while not self._closed:
                async with self._changed:
                    text, number = self._text, self._number
                if number > seen:
                    seen = number
                    yield text
                elif not await self._next(seen):
                    yield ": still here\n\n"
        finally:
            self.listeners -= 1

    async def _next(self, seen: int) -> bool:
        async with self._changed:
            try:
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: self._closed or self._number > seen),
                    KEEP_ALIVE_S,
                )
            except TimeoutError:
                return False
        return True


@router.get("/stream", response_class=StreamingResponse)
async def stream(request: Request) -> StreamingResponse:
    """Server-sent events, one stream per tab.

    `figures` carries the overview record every two seconds, `trouble` says the store is away.
    """
    live: Live = request.app.state.live
    return StreamingResponse(
        live.events(),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
