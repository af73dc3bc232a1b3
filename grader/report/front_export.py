"""The front page for programs: its figures, weeks, causes and ratios as plain JSON values. Nothing here counts."""

from __future__ import annotations

from typing import Any

from grader.calibration.calibrate import figure_row
from grader.calibration.trust import Trusted
from grader.outcomes import Figures
from grader.outcomes.association import Association
from grader.outcomes.changes import Point, Reading
from grader.outcomes.front import FIGURES, Front
from grader.outcomes.quality import QUALITY, Theme
from grader.report.believed import critical_by_people, of_figure
from grader.statistics.association import Difference, Ratio


def front_document(found: Front, figures: Figures, trusted: Trusted) -> dict[str, Any]:
    """What the front page tells, as values; null is unknown. Defects by queue stand among `defects` of the report."""
    weeks = found.weeks
    people = critical_by_people(figures, trusted)
    return {
        "window_hours": found.window_hours,
        "weeks": weeks and {
            "first": weeks.period.first.isoformat(), "last": weeks.period.last.isoformat(),
            "n_weeks": weeks.period.n_weeks, "returns_known_to": weeks.known.last.isoformat(),
            "n": weeks.n, "n_inside": weeks.n_inside, "n_untimed": weeks.n_untimed,
        },
        "n_episodes": found.metrics and found.metrics.n_episodes,
        "figures": {
            name: {
                "over": "run" if name in QUALITY else "weeks", "reading": reading(found.readings[name]),
                **({"calibrated": of_figure(trusted, name).calibrated} if name in QUALITY else {}),
                **({"by_people": people and figure_row(people[1])} if name == "critical_defect" else {}),
            }
            for name in FIGURES
        },
        "not_yet_known": found.metrics and {
            "all": found.metrics.n_not_yet_known, "ai": found.metrics.n_ai_not_yet_known
        },
        "issue_judged": found.metrics and {
            "all": found.metrics.n_issue_judged, "ai": found.metrics.n_ai_issue_judged
        },
        "trends": {
            name: [{"week": w.week, "broken": w.broken, "reading": reading(w.reading)} for w in line]
            for name, line in found.trends.items()
        },
        "causes_decided": found.causes_decided, "n_fixes": found.n_fixes,
        "fixes": [_theme(theme) for theme in found.fixes],
        "associations": [_association(a) for a in found.associations],
    }  # fmt: skip


def reading(found: Reading | None) -> dict[str, Any] | None:
    """Both ends of what is not known, the same where all is; no interval of a mean that has none."""
    if found is None:
        return None

    def end(point: Point) -> dict[str, float | None]:
        low, high = (point.low, point.high) if found.bounded else (None, None)
        return {"value": point.value, "low": low, "high": high}

    return {
        "n": found.n, "n_unknown": found.n_unknown, "of": found.of, "scale": found.scale, "weighted": found.weighted,
        "lowest": end(found.lowest), "highest": end(found.highest),
    }  # fmt: skip


def _theme(theme: Theme) -> dict[str, Any]:
    return {
        "kind": theme.kind, "cause": theme.cause, "fix": theme.fix,
        "n": int(theme.total("n")), "volume": theme.total("volume"), "hours_at_least": theme.total("hours"),
        "n_hours_unknown": int(theme.total("n_hours_unknown")), "n_matured": int(theme.total("n_matured")),
        "n_came_back_same_issue": int(theme.total("n_came_back")), "examples": list(theme.examples),
    }  # fmt: skip


def _association(a: Association) -> dict[str, Any]:
    table = a.table
    return {
        "rubric": a.rubric, "code": a.code, "severity": a.severity, "enough": a.enough,
        "cases": table.cases, "n": table.n, "control_cases": table.control_cases, "n_control": table.n_control,
        "n_not_known": a.n_not_known, "n_handed_over": a.n_handed_over,
        "risk": figure_row(a.risk), "control_risk": figure_row(a.control_risk), "difference": _ends(a.difference),
        "ratio": _ends(a.pooled.ratio if a.enough and a.pooled else None), "p_adjusted": a.p_adjusted,
        "corrected": _ends(a.corrected),
    }  # fmt: skip


def _ends(found: Ratio | Difference | None) -> dict[str, float | None] | None:
    """An end that the data do not set is null."""
    if found is None:
        return None
    return {k: None if abs(v) == float("inf") else v
            for k, v in (("point", found.point), ("low", found.low), ("high", found.high))}  # fmt: skip
