"""What Zendesk says of a ticket's end → an outcome row: its rating, its metrics, its agents' engagements.

Zendesk's rating is good or bad, which is no scale of 1 to 5. As 5 and 1 (what the option `satisfaction` can change) the
share of satisfied customers is the one that Zendesk shows; an average means nothing. The word stays in the attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from grader.ingest.rows import Ledger
from grader.ingest.sources.objects import Node, Row, attributes
from grader.ingest.sources.zendesk_options import Options

_METRICS = ("reopens", "replies", "assignee_stations", "group_stations")


def outcome_row(
    name: str, row: Row | None, options: Options, ticket: Node | None, found: Mapping[str, list[Node]],
    metrics: Row | None, ledger: Ledger,
) -> Row | None:  # fmt: skip
    """The outcome of one ticket or chat, None if nothing says one. Minutes are by the clock, not by business hours."""
    ratings = _ratings(found, ticket)
    measured = [ticket.look("metric_set")] if ticket is not None else []
    measured += [Node(metrics or {}, "", ledger), *found.get("metric", [])]
    engaged = found.get("engagement", [])
    csat, rated = _csat(ratings, options)
    word = rated.word("score") if rated is not None else None
    known: Row = {
        "csat": csat,
        "csat_comment": rated.id("comment") if rated is not None else None,
        "handled_by": handled_by(row),
        "resolution_minutes": _resolution_minutes(row, measured),
        "handle_minutes": _engaged_minutes(engaged),
    }
    about: Row = {
        "satisfaction": word,
        "satisfaction_reason": rated.id("reason") if rated is not None else None,
        "csat_asked": True if csat is None and word == "offered" else None,
        "engagements": len(engaged) or None,
        "agent_messages": sum(int(one.number("agent_messages_count") or 0) for one in engaged) if engaged else None,
        "engagement_channel": next((one.word("channel") for one in engaged), None),
        "ticket_status_end": engaged[-1].word("ticket_status_end") if engaged else None,
        **{key: next((one.number(key) for one in measured if one.has(key)), None) for key in _METRICS},
    }
    said = {key: value for key, value in known.items() if value is not None}
    kept = attributes({} if word == "unoffered" and not engaged and not any(m.raw for m in measured) else about, ledger)
    if not kept and said.keys() <= {"handled_by"}:
        return None
    return {"conversation_id": name, **said, "observed_at": _observed_at(rated, ticket, engaged), "attributes": kept}


def rated_at(found: Mapping[str, list[Node]], ticket: Node | None, options: Options) -> datetime | None:
    """When the rating that counts was given, None where that is not known."""
    _, rated = _csat(_ratings(found, ticket), options)
    return (rated.moment("updated_at") or rated.moment("created_at")) if rated is not None else None


def _ratings(found: Mapping[str, list[Node]], ticket: Node | None) -> list[Node]:
    """Every rating of a ticket, the latest last."""
    own = [ticket.look("satisfaction_rating")] if ticket is not None else []
    asked = [_at(one, survey) for survey in found.get("survey", []) for one in _of_survey(survey)]
    return [*own, *found.get("rating", []), *_rated_in_audits(found), *asked]


def _csat(ratings: list[Node], options: Options) -> tuple[float | None, Node | None]:
    """(CSAT, the rating that says it): the last that has a word of the customer's; else the last there is."""
    last: Node | None = None
    for rating in reversed(ratings):
        word = (rating.word("score") or "").removesuffix("_with_comment")
        number = rating.number("score")
        if number is None and word in ("1", "2", "3", "4", "5"):
            number = float(word)
        if number is not None and 1 <= number <= 5:
            return number, rating
        if word in options.satisfaction:
            return options.satisfaction[word], rating
        last = rating if last is None and rating.has("score") else last
    return None, last


def _rated_in_audits(found: Mapping[str, list[Node]]) -> list[Node]:
    """Ratings that the audits of a ticket tell of: good or bad, or a survey's answer from 1 to 5."""
    rated: list[Node] = []
    for audit in found.get("audit", []):
        for event in audit.listed("events"):
            kind = (event.word("type") or "").replace("_", "")
            if kind == "satisfactionrating":
                rated.append(_at(event, audit))
            elif kind.startswith("surveyresponse"):
                rated += (_at(one, audit) for one in _of_survey(event))
    return rated


def _at(rated: Node, audit: Node) -> Node:
    """A rating with the time of the audit that tells of it."""
    return Node({"created_at": audit.raw.get("created_at"), **rated.raw}, rated.path, rated.ledger)


def _of_survey(event: Node) -> list[Node]:
    """The answers of a survey on a scale of 1 to 5, with what the customer wrote."""
    answers = event.listed("answers") or event.look("value").listed("answers")
    words = next((text for one in answers if (text := one.id("value"))), None)
    scales = [len(one.look("question").listed("options")) for one in answers]
    return [
        Node({"score": one.raw.get("rating"), "comment": words}, one.path, one.ledger)
        for one, n in zip(answers, scales, strict=True) if one.has("rating") and n in (0, 5)
    ]  # fmt: skip


def handled_by(row: Row | None) -> str | None:
    """Who answered the customer, where all of it is there and it is known of everybody."""
    if row is None or row.get("truncated"):
        return None
    roles = {message["role"] for message in row["messages"] if message.get("kind") != "note"}
    if "unknown" in roles:
        return None
    return "both" if {"ai", "human"} <= roles else "ai" if "ai" in roles else "human" if "human" in roles else None


def _resolution_minutes(row: Row | None, measured: list[Node]) -> float | None:
    for one in measured:
        minutes = one.look("full_resolution_time_in_minutes").number("calendar")
        if minutes is not None and minutes >= 0:
            return minutes
    begun, ended = (row or {}).get("started_at"), (row or {}).get("ended_at")
    return float((ended - begun).total_seconds() / 60) if begun and ended and ended >= begun else None


def _engaged_minutes(engaged: list[Node]) -> float | None:
    """The minutes that agents were engaged, over all engagements whose two ends are known."""
    minutes = [
        (end - begin).total_seconds() / 60
        for one in engaged
        if (begin := in_utc(one, "engagement_start_time"))
        and (end := in_utc(one, "engagement_end_time"))
        and end >= begin
    ]
    return sum(minutes) if minutes and len(minutes) == len(engaged) else None


def in_utc(node: Node, key: str) -> datetime | None:
    """A time of an engagement: Zendesk writes it in UTC and without saying so."""
    value = node.raw.get(key)
    if isinstance(value, str) and value.strip()[-6:-5] not in ("+", "-") and not value.strip().endswith(("Z", "z")):
        value = f"{value.strip()}Z"
    return Node({key: value}, node.path, node.ledger).time(key)


def _observed_at(rated: Node | None, ticket: Node | None, engaged: list[Node]) -> datetime | None:
    for key in ("updated_at", "created_at"):
        if rated is not None and (found := rated.moment(key)):
            return found
    ends = [end for one in engaged if (end := in_utc(one, "engagement_end_time"))]
    return max(ends) if ends else ticket.moment("updated_at") if ticket is not None else None
