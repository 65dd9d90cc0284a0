"""How one client hears news: what there is no room for waits, and only the newest about each subject does."""

from server.log.cursor import Sink
from server.news import About, News


class Hearing:
    """What waits is bounded by what there is to tell of, not by how much happens.

    Args:
        sink: the client's.
    """

    __slots__ = ("_sink", "_waiting")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: dict[About, bytes] = {}

    def take(self, news: News) -> None:
        """Write it, or keep it until there is room."""
        if not self._waiting:
            if self._sink.has_room():
                self._sink.write(news.joined)
                return
            self._sink.when_room(self._catch_up)
        for about, frame in news.frames.items():
            # Behind what came before it, wherever the older one stands.
            self._waiting.pop(about, None)
            self._waiting[about] = frame

    def forget(self, room: str) -> None:
        """What waits about a room holds no longer: the client is told everything anew."""
        self._waiting = {about: frame for about, frame in self._waiting.items() if about[1] != room}

    def stop(self) -> None:
        """Nothing is to be heard any more."""
        self._waiting.clear()

    def _catch_up(self) -> None:
        frames, self._waiting = self._waiting, {}
        if frames:
            self._sink.write(b"".join(frames.values()))
