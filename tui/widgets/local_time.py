"""Days and minutes as people read them, of milliseconds since the Unix epoch."""

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache

_MINUTE = 60_000
_DAY = 86_400_000
#: No zone changes its offset within a quarter of an hour of UTC.
_QUARTER = 15 * _MINUTE
_EPOCH = date(1970, 1, 1).toordinal()


class LocalTime:
    """One time zone; the machine's own when none is given.

    Twenty thousand messages ask for their minute when a window changes its width, so the zone is asked once for
    each quarter of an hour, and the rest is arithmetic.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._offset = lru_cache(maxsize=4096)(self._ask)

    def minute(self, at: int) -> int:
        """Return the number of the local minute; equal for two times that read the same."""
        return (at + self._offset(at // _QUARTER)) // _MINUTE

    def day(self, at: int) -> int:
        """Return the number of the local day."""
        return (at + self._offset(at // _QUARTER)) // _DAY

    def clock(self, at: int) -> str:
        """Return ``14:02``."""
        hours, minutes = divmod(self.minute(at) % 1440, 60)
        return f"{hours:02}:{minutes:02}"

    def date(self, at: int, *, before: int | None = None) -> str:
        """Return ``Sunday 22 November``, with the year when the time ``before`` was in another one."""
        ordinal = _EPOCH + self.day(at)
        if not 1 <= ordinal <= date.max.toordinal():
            return "some day"
        day = date.fromordinal(ordinal)
        text = f"{day:%A} {day.day} {day:%B}"
        if before is None or date.fromordinal(max(1, min(_EPOCH + self.day(before), ordinal))).year == day.year:
            return text
        return f"{text} {day.year}"

    def _ask(self, quarter: int) -> int:
        try:
            moment = datetime.fromtimestamp(quarter * _QUARTER / 1000, UTC).astimezone(self._zone)
        except (ValueError, OverflowError, OSError):  # a time that no calendar has
            return 0
        offset = moment.utcoffset()
        return 0 if offset is None else round(offset.total_seconds() * 1000)
