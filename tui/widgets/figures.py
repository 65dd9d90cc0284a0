"""Figures in columns: every function here returns text whose width does not depend on the value.

Numbers end in one column and units begin in one, so figures that change do not move. What is larger than
any real machine is cut off at the largest figure that fits; what is negative counts as zero.
"""

import math

PERCENT_WIDTH = 6
AMOUNT_WIDTH = 7
RATE_WIDTH = 8
DURATION_WIDTH = 6
LOAD_WIDTH = 4

_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL_UNITS = ("B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s")
_LARGEST_NUMBER = 9999
_LARGEST_SCALED = 999
_DURATIONS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def percent(share: float) -> str:
    """A share in 6 columns: ``"  37 %"``. May exceed 100: a process on two cores has 200."""
    return f"{round(_clamped(share, _LARGEST_NUMBER)):4d} %"


def amount(size_bytes: float) -> str:
    """A size in 7 columns, units of 1024: ``"9.8 GiB"``, ``"512 B  "``."""
    number, unit = _scaled(size_bytes, 1024, _BINARY_UNITS)
    return f"{number:>3} {unit:<3}"


def rate(bytes_per_second: float) -> str:
    """A rate in 8 columns, units of 1000: ``"1.2 MB/s"``, ``"  0 B/s "``."""
    number, unit = _scaled(bytes_per_second, 1000, _DECIMAL_UNITS)
    return f"{number:>3} {unit:<4}"


def round_rate(bytes_per_second: float) -> str:
    """A rate for a label, without padding: ``"10 MB/s"``."""
    number, unit = _scaled(bytes_per_second, 1000, _DECIMAL_UNITS, whole=True)
    return f"{number} {unit}"


def used_of_total(used_bytes: float, total_bytes: float) -> str:
    """Both sizes in the unit of the total: ``"9.8 / 16 GiB"``. At most 13 wide."""
    total, unit = _scaled(total_bytes, 1024, _BINARY_UNITS)
    used = _number(_clamped(used_bytes, 1024.0**7) / 1024 ** _BINARY_UNITS.index(unit), fraction=unit != "B")
    return f"{used:>3} / {total} {unit}"


def duration(seconds: float) -> str:
    """A duration in 6 columns, in its largest unit: ``"  12 d"``, ``" 3 min"``."""
    return f"{short_duration(seconds):>{DURATION_WIDTH}}"


def short_duration(seconds: float) -> str:
    """A duration in its largest unit, without padding and at most 6 wide: ``"12 d"``, ``"42 min"``."""
    whole = int(_clamped(seconds, 9999 * 86_400))
    for size, unit in _DURATIONS:
        if whole >= size:
            return f"{whole // size} {unit}"
    return "0 s"


def load(average: float) -> str:
    """A load average in 4 columns: ``"0.42"``, ``"12.4"``, ``" 128"``."""
    value = _clamped(average, _LARGEST_NUMBER)
    for digits in (2, 1):
        text = f"{value:.{digits}f}"
        if len(text) <= LOAD_WIDTH:
            return text
    return f"{value:4.0f}"


def temperature(celsius: float) -> str:
    """A temperature in 6 columns: ``" 54 °C"``."""
    return f"{round(min(max(-99.0, celsius), 999.0)):3d} °C"


def _scaled(value: float, base: int, units: tuple[str, ...], *, whole: bool = False) -> tuple[str, str]:
    rest = _clamped(value, float(base) ** len(units))
    for index, unit in enumerate(units):
        last = index == len(units) - 1
        # Compared as it will be rounded, so that no figure has four digits: 999.7 kB/s is 1.0 MB/s.
        if last or round(rest) <= _LARGEST_SCALED:
            return _number(rest, fraction=index > 0 and not whole), unit
        rest /= base
    raise AssertionError("units are never empty")


def _number(value: float, *, fraction: bool) -> str:
    if fraction and value < 9.95:
        return f"{value:.1f}"
    return str(round(min(value, _LARGEST_SCALED)))


def _clamped(value: float, most: float) -> float:
    return 0.0 if math.isnan(value) else min(max(0.0, value), most)
