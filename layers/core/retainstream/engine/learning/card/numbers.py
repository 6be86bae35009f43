"""Numbers in the card's texts."""

import math
from datetime import UTC, datetime

from retainstream.engine.model.reasons import in_currency

NO_VALUE = "–"


def probability(value: float | None) -> str:
    """0.852"""
    return NO_VALUE if value is None else f"{value:.3f}"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """0.852 [0.810–0.890]"""
    if low is None or high is None:
        return probability(value)
    return f"{probability(value)} [{probability(low)}–{probability(high)}]"


def percent(share: float | None) -> str:
    """14.2%, for tables"""
    if share is None:
        return NO_VALUE
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def share(value: float) -> str:
    """14.2%, but 20%, for sentences"""
    return percent(value).replace(".0%", "%")


def factor(value: float | None) -> str:
    """4.10"""
    return NO_VALUE if value is None else f"{value:.2f}"


def factor_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """4.10 [3.50–5.06]"""
    return factor(value) if low is None or high is None else f"{factor(value)} [{factor(low)}–{factor(high)}]"


def moment(value: str) -> str:
    """An ISO 8601 moment as 2026-11-21 10:39 UTC."""
    return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def count(value: float) -> str:
    """12,345"""
    return f"{round(value):,}"


def short_count(value: int) -> str:
    """987, 1.2k, 24k, 3.1M: for narrow places."""
    if value < 1_000:
        return str(value)
    scaled, letter = (value / 1e3, "k") if value < 999_500 else (value / 1e6, "M")
    return f"{scaled:.1f}{letter}" if scaled < 9.95 else f"{scaled:.0f}{letter}"


def quantity(value: float | None) -> str:
    """Four significant digits: 0.0125, 7.99, 12,345; two below 0.001."""
    if value is None:
        return NO_VALUE
    if value == 0:
        return "0"
    digits = 4 if abs(value) >= 0.001 else 2
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}" if decimals <= 9 else f"{value:.1e}"
    return _minus(text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text)


def money(value: float | None, currency: str) -> str:
    """$1.23"""
    return NO_VALUE if value is None else _minus(in_currency(value, currency))


def signed(value: float) -> str:
    """+0.0012"""
    return _minus(f"{value:+.4f}")


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text
