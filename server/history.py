"""Older events of a room, page by page."""

from itertools import accumulate, islice

from pushtui.protocol import messages
from server.log.store import StoreBusyError
from server.log.streams import room_stream
from server.log.wire import decoded
from server.refusal import RefusedError
from server.service import Service

#: What one page holds at most; as JSON its bodies are longer, and clients bound their frames too.
_PAGE_BYTES = 256 * 1024


async def page(service: Service, asked: messages.History) -> messages.Page:
    """The answer to a question for older events.

    Raises:
        RefusedError: it cannot be answered.
    """
    if not 0 < asked.limit <= service.limits.history:
        raise RefusedError("malformed", f"limit is 1 to {service.limits.history}")
    # One more than asked for tells whether there are more.
    before = min(max(asked.before, 0), (1 << 63) - 1)
    try:
        entries = await service.store.read_before(room_stream(asked.room), before, asked.limit + 1)
    except StoreBusyError as error:
        raise RefusedError("busy", str(error)) from error
    sizes = accumulate(len(entry.body) for entry in reversed(entries))
    count = max(1, sum(size <= _PAGE_BYTES for size in islice(sizes, asked.limit)))
    return messages.Page(
        asked.id, asked.room, [decoded(entry) for entry in entries[-count:]], len(entries) > count
    )
