"""What a user has to say about a WhatsApp Business number, because no webhook says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.errors import InputError
from grader.ingest.sources.option_values import OptionValues
from grader.model import JsonValue

_ROLES = ("ai", "human", "system", "unknown")
WINDOW = 1440.0  # minutes: after a customer's message a business may answer freely for 24 hours


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may have to say about a WhatsApp Business number."""

    idle_minutes: float = WINDOW  # a conversation ends when nobody writes for longer
    outbound_role: str = "unknown"  # who sends through the API: ai, human or system
    callback_roles: Mapping[str, str] = field(default_factory=dict)  # biz_opaque_callback_data = role
    queues: Mapping[str, str] = field(default_factory=dict)  # phone_number_id or display number = queue


def options(values: Mapping[str, JsonValue]) -> Options:
    """The options as they were given. Raises InputError for a name or a value that is none."""
    given = OptionValues(values, tuple(Options.__dataclass_fields__), "whatsapp_business")
    callback_roles = {data: role.lower() for data, role in given.pairs("callback_roles").items()}
    for data, role in callback_roles.items():
        if role not in _ROLES:
            cure = f"use one of {', '.join(_ROLES)}"
            raise InputError(
                f"{data!r} stands for {role!r}, which is no role", field="option callback_roles", cure=cure
            )
    return Options(
        idle_minutes=given.number("idle_minutes", WINDOW, 1, 525_600),
        outbound_role=given.choice("outbound_role", "unknown", *_ROLES),
        callback_roles=callback_roles,
        queues=given.pairs("queues"),
    )
