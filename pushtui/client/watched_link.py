"""What a watcher sees of a link that is lost: the wait before the next try."""

from collections.abc import Callable

from pushtui.client.happenings import Link, LinkState
from pushtui.wire import masking
from pushtui.wire.records import Wait
from pushtui.wire.watch import Watch


def watched(
    report: Callable[[Link], None], watch: Watch, last_event_id: Callable[[], str] = str
) -> Callable[[Link], None]:
    """Tell the watch too what is reported.

    Args:
        report: is told every change of the link.
        watch: is told the waits.
        last_event_id: what an event stream will come back with; empty for none.
    """

    def told(link: Link) -> None:
        if watch.on and link.state is LinkState.LOST:
            reason, identity = masking.text(link.reason), masking.text(last_event_id())
            watch.tell(Wait(watch.now(), link.retry_in or 0.0, reason, identity))
        report(link)

    return told
