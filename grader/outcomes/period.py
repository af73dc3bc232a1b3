"""Weeks: a period of whole ones, from Monday to Sunday, as people and files write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from grader.errors import InputError

WEEK = timedelta(days=7)
YEARS = 1000, 9000  # of a week that is asked for: months of weeks around it are dates too


@dataclass(frozen=True, slots=True)
class Period:
    """`n_weeks` whole weeks that end with the one of `last` (a Monday)."""

    last: date
    n_weeks: int = 1

    @property
    def first(self) -> date:
        """The Monday of its first week."""
        return self.last - WEEK * (self.n_weeks - 1)

    @property
    def ends(self) -> tuple[str, str]:
        """Both Mondays as the figures name weeks: a range for `where`."""
        return self.first.isoformat(), self.last.isoformat()

    @property
    def name(self) -> str:
        """The week by ISO 8601, such as 2026-W38: the one it ends with."""
        year, week, _ = self.last.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def days(self) -> str:
        """From Monday to Sunday, in words."""
        end = self.last + WEEK - timedelta(days=1)
        year = "" if self.first.year == end.year else f" {self.first.year}"
        month = "" if self.first.month == end.month and not year else f" {self.first:%B}"
        return f"{self.first.day}{month}{year} to {end.day} {end:%B %Y}"

    @property
    def flags(self) -> str:
        """The options that name it on the command line."""
        return f"--week {self.name}" + (f" --weeks {self.n_weeks}" if self.n_weeks > 1 else "")

    def before(self, n_weeks: int) -> Period:
        """The weeks before it."""
        return Period(self.first - WEEK, n_weeks)

    def ends_at(self, zone: tzinfo) -> datetime:
        """When its last week is over, in UTC."""
        over = self.last + WEEK
        return datetime(over.year, over.month, over.day, tzinfo=zone).astimezone(UTC)


def monday(text: str) -> date:
    """The Monday of a week written as 2026-W38, or as any day of it. Raises InputError."""
    try:
        if found := re.fullmatch(r"(\d{4})-?[Ww](\d{1,2})", text.strip()):
            day = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        else:
            day = date.fromisoformat(text.strip())
        if not YEARS[0] <= day.year <= YEARS[1]:
            raise ValueError
    except ValueError:
        raise InputError(
            f"{text!r} is no week", field="--week", cure="write 2026-W38, or a day of it: 2026-09-14"
        ) from None
    return day - timedelta(days=day.weekday())


def last_whole(data_end: datetime, zone: tzinfo) -> date:
    """The Monday of the last week that was over when the data ended (`data_end`: UTC without a zone)."""
    local = data_end.replace(tzinfo=UTC).astimezone(zone).date()
    return local - timedelta(days=local.weekday()) - WEEK
