"""How the report writes quantities: one place for digits, units and mission time.

Every function takes None or NaN for "not known" and answers with a dash, never with a zero.
"""

import math

DASH = "—"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_SPACE = "\N{NO-BREAK SPACE}"
_CLOSE = frozenset({"%", "°"})
_SPOKEN = {"degC": "°C", "1": ""}


def known(value: object) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def number(value: object, digits: int = 0, unit: str = "") -> str:
    """Write a number with narrow spaces between thousands, and its unit."""
    amount = known(value)
    if amount is None:
        return DASH
    written = f"{amount:,.{digits}f}".replace(",", _THIN)
    if float(f"{amount:.{digits}f}") == 0.0:
        written = written.lstrip("-")
    if not unit:
        return written
    return f"{written}{_THIN if unit in _CLOSE else _SPACE}{_SPOKEN.get(unit, unit)}"


def compact(value: object, unit: str = "") -> str:
    """Write a number with up to four significant digits and no needless zeros."""
    amount = known(value)
    if amount is None:
        return DASH
    if amount == int(amount) and abs(amount) < 1e9:
        return number(amount, 0, unit)
    digits = min(6, max(0, 3 - math.floor(math.log10(abs(amount)))))
    written = f"{amount:.{digits}f}"
    places = len(written.rstrip("0").rpartition(".")[2]) if "." in written else 0
    return number(amount, places, unit)


def percent(part: object, whole: object = 1.0, digits: int = 1) -> str:
    """Write a share in per cent; an unknown or zero whole has no share."""
    (share, total) = (known(part), known(whole))
    if share is None or total is None or total == 0.0:
        return DASH
    return number(100.0 * share / total, digits, "%")


def scaled(value: object, unit: str) -> str:
    """Write bytes, bit/s, J or W with a decimal prefix (1 MB = 10^6 bytes)."""
    amount = known(value)
    if amount is None:
        return DASH
    for exponent, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(amount) >= 10.0**exponent:
            shown = amount / 10.0**exponent
            return number(shown, 2 if abs(shown) < 100 else 1, prefix + unit)
    return number(amount, 0 if amount == int(amount) else 1, unit)


def mission_time(t_s: object) -> str:
    """Write mission time as h:mm:ss."""
    amount = known(t_s)
    if amount is None:
        return DASH
    sign = "-" if amount < 0 else ""
    seconds = round(abs(amount))
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def clock_axis(t_s: float) -> str:
    """Write mission time as h:mm, for axes."""
    minutes = round(t_s / 60.0)
    return f"{minutes // 60}:{minutes % 60:02d}"


def duration(seconds: object) -> str:
    """Write a length of time in the largest two units that fit."""
    amount = known(seconds)
    if amount is None:
        return DASH
    if amount < 60.0:
        return number(amount, 0 if amount == int(amount) or amount >= 10 else 1, "s")
    whole = round(amount)
    if whole < 3600:
        return f"{whole // 60}{_SPACE}min {whole % 60:02d}{_SPACE}s"
    return f"{whole // 3600}{_SPACE}h {whole // 60 % 60:02d}{_SPACE}min"
