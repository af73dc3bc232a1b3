"""Sums of money in a text, in the notations of many countries: 1,199.00 and 1.199,00, R$ 5,90, 89.900, 5.90 €."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from grader.judge.signals.words import Words

_SIGN = r"(?:R\$|US\$|[$€£₹₦¥]|\b(?:USD|EUR|GBP|BRL|MXN|ARS|INR|AUD|CAD|NGN|COP|CLP)\b)"
_NUMBER = r"\d{1,12}(?:[.,]\d{1,9}){0,4}"
_MONEY = re.compile(rf"{_SIGN}\s?({_NUMBER})|(?<![\w.,])({_NUMBER})\s?{_SIGN}")
_ANY = re.compile(rf"(?<![\w.,-])({_NUMBER})(?![\w-])")


def value(text: str) -> float | None:
    """The number that is written: the last mark with two digits after it (one or two) is the decimal mark."""
    marks = [c for c in text if c in ".,"]
    if not marks:
        return float(text)
    whole, mark, rest = text.rpartition(marks[-1])
    if len(rest) == 3 and (len(set(marks)) == 1):  # 89.900, 1,199, 1.234.567
        return float(text.replace(mark, ""))
    if len(rest) > 2:
        return None
    return float(f"{whole.replace('.', '').replace(',', '')}.{rest}")


def numbers_in(text: str) -> Iterator[float]:
    """All numbers of a text."""
    for match in _ANY.finditer(text):
        number = value(match.group(1))
        if number is not None:
            yield number


def money(words: Words) -> list[tuple[float, int, int]]:
    """Sums with a currency beside them, and the words (first, last) where they stand."""
    if not any(t[0].isdigit() for t in words.tokens):
        return []
    found = []
    for match in _MONEY.finditer(words.text):
        number = value(match.group(1) or match.group(2))
        start = match.start(1) if match.group(1) else match.start(2)
        if number is None:
            continue
        first = bisect_right(words.starts, start) - 1
        if first >= 0 and start < words.ends[first]:
            found.append((number, first, first + 1))
    return found
