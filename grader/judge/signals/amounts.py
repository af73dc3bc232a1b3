"""Sums of money in a text, in the notations of many countries: 1,199.00 and 1.199,00, R$ 5,90, 89.900, 5.90 €."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from grader.judge.signals.words import Words

_SIGN = r"(?:R\$|US\$|[$€£₹₦¥]|\b(?:USD|EUR|GBP|BRL|MXN|ARS|INR|AUD|CAD|NGN|COP|CLP)\b)"
_NUMBER = r"\d{1,12}(?:[.,]\d{1,9}){0,4}"
_MONEY = re.compile(rf"{_SIGN}\s?({_NUMBER})|(?<![\w.,])({_NUMBER})\s?{_SIGN}")
_ANY = re.compile(rf"(?<![\w.,-])({_NUMBER})(?![\w-])")


class Amount(NamedTuple):
    """A sum with a currency beside it, at words `first` to `last` (exclusive) of sentence number `sentence`."""

    value: float
    first: int
    last: int
    sentence: int


def value(text: str) -> float | None:
    """The number that is written. A mark with one or two digits after it is the decimal mark, one with three "
    "is none."""
    marks = [c for c in text if c in ".,"]
    if not marks:
        return float(text)
    whole, mark, rest = text.rpartition(marks[-1])
    if len(rest) == 3 and len(set(marks)) == 1:  # 89.900, 1,199, 1.234.567
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


def money(words: Words) -> list[Amount]:
    """All sums of money of a text, in its order."""
    if not any(word[0].isdigit() for word in words.tokens):
        return []
    found = []
    for match in _MONEY.finditer(words.text):
        group = 1 if match.group(1) else 2
        number, start = value(match.group(group)), match.start(group)
        first = bisect_right(words.starts, start) - 1
        if number is not None and first >= 0 and start < words.ends[first]:
            found.append(Amount(number, first, first + 1, words.sentence_of(first)))
    return found
