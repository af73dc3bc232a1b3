"""The same run as data: one JSON document with every figure and finding, or CSV with one row per verdict.

Text cells of the CSV that a spreadsheet would take for a formula get a leading apostrophe.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from operator import attrgetter
from typing import Any

from grader.calibration.calibrate import figure_row
from grader.calibration.status import Status, Trust
from grader.calibration.trust import Trusted
from grader.model import Evidence
from grader.outcomes import Bounds, Figure, Figures, Found, Missing, Share, ends, rate
from grader.outcomes.front import Front
from grader.report.believed import CRITICAL, NOBODY
from grader.report.front_export import front_document

FORMAT_VERSION = 1
COLUMNS = (
    "run_id", "conversation_id", "started_at", "queue", "channel", "language", "rubric", "rubric_version", "code",
    "severity", "scale", "answer", "support", "flagged", "message", "quote", "policy_clause", "reasoning", "judge",
    "model", "prompt_hash", "judged_at", "truncated", "key", "stratum", "inclusion_probability",
    "calibration", "calibrated_at",
)  # fmt: skip
# What makes a spreadsheet compute: OWASP's list for CSV injection, with the full-width forms that Excel accepts too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def document(
    figures: Figures, verdicts: Iterable[Found], missing: Sequence[Missing], trusted: Trusted = NOBODY,
    front: Front | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Everything about one run as plain JSON values. Rates stand beside the counts that they are made of; a rate
    without a denominator is null. Times are UTC. Each defect and answer of a choice has its `calibration`.
    """
    return {
        "format": "grader.report",
        "format_version": FORMAT_VERSION,
        "run": _plain(figures.about),
        "front": front and front_document(front, figures, trusted),
        "strata": [_plain(layer) for layer in figures.layers],
        "decided": [_plain(d) for d in figures.decided],
        "calibration": {
            "rubrics": [_plain(r) for r in trusted.rubrics()],
            "headline": {
                "resolved": calibration(trusted.of("resolution", "resolved", "resolved")),
                "contained_not_resolved": composite(
                    trusted.over([("resolution", "resolved", answer) for answer in ("partly", "not")])
                ),
                "flagged": composite(trusted.defects()),
                "critical": composite(trusted.defects(CRITICAL)),
            },
        },
        "headline": _plain(figures.headline),
        "headline_by_queue": [_plain(h) for h in figures.headlines[1:]],
        "recontact": [_plain(r) for r in figures.recontacts],
        "defects": [
            _plain(d) | {"calibration": calibration(trusted.of(d.rubric, d.code), whole=d.slice == "all")}
            for d in figures.defects
        ],
        "choices": [
            _plain(c) | {"calibration": calibration(trusted.of(c.rubric, c.code, c.option), whole=c.overall)}
            for c in figures.choices
        ],
        "could_not_be_judged": [_plain(u) for u in figures.unjudged],
        "not_judged": [_plain(m) for m in missing],
        "spend": _plain(figures.spend),
        "findings": [_plain(v) for v in verdicts if v.flagged or v.unsupported],
    }


def calibration(trust: Trust, *, whole: bool = True) -> dict[str, Any]:
    """What is known of a code. `whole`: it is shown of the run as a whole, which alone has a corrected rate."""
    audit, corrected = trust.audit, trust.corrected if whole else None
    return {
        "state": trust.state, "calibrated": trust.calibrated, "text": trust.text,
        "calibrated_at": _utc(trust.calibrated_at) if trust.calibrated_at else None, "n_labels": trust.n_labels,
        "corrected": corrected and figure_row(corrected), "carried_over": trust.carried,
        "audit": audit and {"n_missed": audit.n_missed, "n_reviewed": audit.n_reviewed, "at_most": audit.at_most},
        "excluded": trust.excluded, "flips": trust.flips and figure_row(trust.flips),
    }  # fmt: skip


def composite(status: Status, *, whole: bool = True) -> dict[str, Any]:
    """The same of a figure that rests on several codes; `together`: of all of them as one."""
    return {
        "state": status.state, "calibrated": status.calibrated, "text": status.text, "n_codes": len(status.codes),
        "n_not_calibrated": status.n_not, "excluded": status.excluded,
        **({"together": calibration(status.whole, whole=whole)} if status.whole is not None else {}),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Records to objects. Properties that hold a Share or a derived number are written with the counts."""
    if isinstance(value, Share):
        return _rate(rate(_Alone(value), lambda alone: alone.share), value)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.name != "parts"]
        properties = (name for name, attribute in vars(type(value)).items() if isinstance(attribute, property))
        names += [name for name in properties if not name.startswith("_")]
        found = {name: _plain(getattr(value, name)) for name in names}
        return found | _weighted(value, names) if getattr(value, "parts", ()) else found
    if isinstance(value, Evidence):
        return {"message": value.message, "quote": value.quote, "verified": value.verified, "problem": value.problem}
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


@dataclasses.dataclass(frozen=True)
class _Alone:
    """A share without parts."""

    share: Share
    parts: tuple[()] = ()


def _rate(told: Figure, share: Share) -> dict[str, Any]:
    """`rate` is what was counted; `estimate`, `low` and `high` are what `method` makes of it for the population."""
    return {
        "n": told.n, "of": told.of, "rate": share.rate, "estimate": told.point, "low": told.low, "high": told.high,
        "method": told.method,
    }  # fmt: skip


def _weighted(record: Any, names: Iterable[str]) -> dict[str, Any]:
    """The rates of a record that has parts, weighted."""
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(record, name)
        if isinstance(value, Share):
            found[name] = _rate(rate(record, attrgetter(name)), value)
        elif isinstance(value, Bounds):
            between = ends(record, attrgetter(name))
            found[name] = _plain(value) | {
                "known": _rate(between.known, value.known), "low": _rate(between.low, value.low),
                "high": _rate(between.high, value.high), "interval": _plain(between.interval),
            }  # fmt: skip
    return found


def _utc(at: datetime) -> str:
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC).isoformat().replace("+00:00", "Z")


def csv_lines(run_id: str, verdicts: Iterable[Found], trusted: Trusted = NOBODY) -> Iterator[str]:
    """The CSV as lines, the header first. Of several quotes the first verified one is written, else the first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    rows: Iterable[Sequence[object]] = (_row(run_id, verdict, trusted) for verdict in verdicts)
    for cells in chain([COLUMNS], rows):
        writer.writerow(cells)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _row(run_id: str, v: Found, trusted: Trusted) -> list[object]:
    trust = trusted.of(v.rubric, v.code, v.answer if v.scale == "choice" else None)
    at = trust.calibrated_at
    quotes = [e for e in v.evidence if e.message]
    quote = next((e for e in quotes if e.verified), next(iter(quotes), None))
    clause = next((e.quote for e in v.evidence if not e.message and e.verified), None)
    return [
        cell(run_id), cell(v.conversation_id), _utc(v.started_at) if v.started_at else "", cell(v.queue),
        cell(v.channel), cell(v.language), cell(v.rubric), v.rubric_version, cell(v.code), v.severity, v.scale,
        cell(v.answer), v.support, "true" if v.flagged else "false", quote.message if quote else "",
        cell(quote.quote if quote else None), cell(clause), cell(v.reasoning), v.judge, cell(v.model),
        v.prompt_hash, _utc(v.judged_at), "true" if v.truncated else "false", cell(v.key),
        cell(v.stratum), v.inclusion_probability, trust.state, _utc(at) if at else "",
    ]  # fmt: skip


def cell(text: str | None) -> str:
    """Safe for a spreadsheet. An apostrophe also goes before text that begins with one, so that it can be undone."""
    if not text:
        return ""
    return f"'{text}" if text.lstrip(" \xa0").startswith((*_FORMULA, "'")) else text
