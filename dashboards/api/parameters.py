"""Parameters that several routes take: paging and windows of time."""

from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Response
from starlette.requests import Request

from dashboards.desk import TheDesk
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import from_us, parse_typed_instant

T = TypeVar("T")
DAY = timedelta(days=1)
Window = tuple[datetime, datetime]


class Page:
    """`limit` and `offset`; writes `X-Total-Count` and `Link` on the answer."""

    def __init__(
        self,
        request: Request,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> None:
        self.limit = limit
        self.offset = offset
        self._request = request
        self._response = response

    def cut(self, found: list[T]) -> list[T]:
        """This page of everything that was found."""
        self.tell(len(found))
        return found[self.offset : self.offset + self.limit]

    def tell(self, total: int) -> None:
        """Say how many there are, and where the others of them are."""
        url, end = self._request.url, self.offset + self.limit
        links = []
        if end < total:
            links.append(f'<{_path(url.include_query_params(offset=end))}>; rel="next"')
        if self.offset:
            before = max(0, self.offset - self.limit)
            links.append(f'<{_path(url.include_query_params(offset=before))}>; rel="prev"')
        self._response.headers["X-Total-Count"] = str(total)
        if links:
            self._response.headers["Link"] = ", ".join(links)


def _path(url: object) -> str:
    text = str(url)
    return "/" + text.split("/", 3)[3]


Paging = Annotated[Page, Depends()]


def window(
    desk: TheDesk,
    from_: Annotated[
        str | None, Query(alias="from", description="RFC 3339 with offset; default a day ago.")
    ] = None,
    to: Annotated[str | None, Query(description="RFC 3339 with offset; default now.")] = None,
) -> Window:
    """[from, to).

    Raises:
        InputRefusedError: no timestamp, no offset, or an end before the start.
    """
    end = parse_typed_instant(to) if to else from_us(desk.now_us())
    try:
        start = parse_typed_instant(from_) if from_ else end - DAY
    except OverflowError:
        raise InputRefusedError("there is no day before that end", "give a later end") from None
    if end <= start:
        raise InputRefusedError("the window ends before it begins", "give from < to")
    return start, end


InWindow = Annotated[Window, Depends(window)]
