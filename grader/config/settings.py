"""The settings, one frozen record: what each is called, what it may be, what it means, and where its value came from.

This file is the single list; the commented `grader.toml`, the reference in docs/configuration.md and the names of the
environment variables follow from it. No file is read here. Nothing heavy is imported: every command loads this first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from grader.config.floors import Floors
from grader.config.queues import Queue, Queues, Texts
from grader.config.values import (
    Choice,
    Country,
    Headers,
    Integer,
    Kind,
    Number,
    PathKind,
    Price,
    Prices,
    Reasons,
    Secret,
    Table,
    Text,
    Url,
    Word,
    mask,
)
from grader.errors import ConfigError

CONTACT_REASONS = MappingProxyType({
    "order_status": "Where an order is, when it comes, whether it went out.",
    "exchange": "The same or another item instead of the one received (size, colour, model).",
    "return": "Sending an item back for money or store credit.",
    "refund": "Money that is owed and has not arrived, or its amount.",
    "cancellation": "Stopping an order or a part of it before it is delivered.",
    "damaged_item": "An item that came broken, faulty or stopped working.",
    "wrong_item": "Another item, size or colour than the one ordered, or one missing.",
    "address_change": "Another delivery address or recipient.",
    "payment": "Paying, a declined or doubled charge, instalments, discount codes.",
    "invoice": "An invoice or receipt, or data on it.",
    "product_question": "A question about a product before buying, or about using it.",
    "account": "Sign-in, password, personal data, newsletter.",
    "complaint": "Unhappiness with the service itself, beyond a single order's problem.",
    "other": "Anything that fits none of the others.",
})  # fmt: skip


def _setting(default: object, kind: Kind, doc: str, *, env: tuple[str, ...] = (), flag: str | None = None) -> Any:
    """One setting. `env`: its variables, the first of which wins; `flag`: the option that sets it."""
    metadata = {"kind": kind, "doc": doc, "env": env, "flag": flag}
    plain = not isinstance(kind, (Url, Table))  # an address or a table may hold a secret
    if isinstance(default, Mapping):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata, repr=plain)
    return dataclasses.field(default=default, metadata=metadata, repr=plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where things are. Paths are absolute here; in the file they are relative to the workspace."""

    database: Path = _setting(
        Path("grader.duckdb"), PathKind(), "The DuckDB file with every verdict and its proof.", flag="--database"
    )
    rubrics: Path = _setting(Path("rubrics"), PathKind(), "Folder of rubrics: `<name>/<version>.yaml`.")
    prompts: Path = _setting(Path("prompts"), PathKind(), "Folder of the judge's prompt templates (Jinja2).")
    reports: Path = _setting(Path("reports"), PathKind(), "Folder that `grader report` writes to.")
    state_dir: Path = _setting(
        Path(".grader"),
        PathKind(),
        "Folder of the run journals and of the plans of samples, from which the database can be rebuilt.",
    )
    timezone: str = _setting(
        "UTC", Text(), "IANA name of the zone that times without an offset are in, and that reports show."
    )
    language: str = _setting(
        "en", Text(), "Language in which the judge writes its reasoning, as a code such as `en` or `pt-BR`."
    )
    contact_reasons: Mapping[str, str] = _setting(
        CONTACT_REASONS,
        Reasons(),
        "The contact reasons a conversation can have, each with its meaning. A table of your own replaces this one.",
    )

    @property
    def tz(self) -> tzinfo:
        """The workspace's zone; UTC needs no zone data on the machine."""
        if self.timezone.upper() == "UTC":
            return UTC
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """How it is known who writes. The key is a `Secret`, from the environment alone; else a file in `state_dir`."""

    phone_region: str | None = _setting(
        None, Country(), "Country, such as `BR`, of phone numbers that are written without one; none: left as they are."
    )
    barred_above: int = _setting(
        5, Integer(1, 1_000_000), "An identity that more contacts than this share joins nobody; see docs/people.md."
    )
    identity_key: Secret | None = dataclasses.field(default=None, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Who judges, and how it is reached. The key is a `Secret`: only `reveal()` gives it."""

    kind: Literal["auto", "llm", "signals"] = _setting(
        "auto",
        Choice("auto", "llm", "signals"),
        "`llm` asks a model, `signals` runs detectors offline; `auto`: `llm` when a key or an endpoint is set.",
        env=("GRADER_JUDGE",),
        flag="--judge",
    )
    model: str = _setting(
        "gpt-4.1-mini", Text(), "The model's name at the endpoint (Azure: the deployment's name).", flag="--model"
    )
    base_url: str | None = _setting(
        None,
        Url(),
        "Any OpenAI-compatible endpoint, such as `http://localhost:11434/v1`; none: api.openai.com.",
        env=("GRADER_BASE_URL", "OPENAI_BASE_URL"),
        flag="--base-url",
    )
    api_key_env: str | None = _setting(
        None,
        Word(),
        "Name of the variable that holds the key; none: GRADER_API_KEY, OPENAI_API_KEY (Azure: AZURE_OPENAI_API_KEY).",
    )
    api_key: Secret | None = dataclasses.field(default=None, metadata={"secret": True})
    provider: Literal["openai", "azure"] = _setting(
        "openai",
        Choice("openai", "azure"),
        "`openai` for OpenAI and everything compatible with it, `azure` for Azure OpenAI.",
    )
    azure_endpoint: str | None = _setting(
        None,
        Url(),
        "Azure only: `https://NAME.openai.azure.com`.",
        env=("GRADER_AZURE_ENDPOINT", "AZURE_OPENAI_ENDPOINT"),
    )
    api_version: str | None = _setting(
        None,
        Text(optional=True),
        "Azure only: the API version, such as `2024-10-21`.",
        env=("GRADER_API_VERSION", "OPENAI_API_VERSION"),
    )
    mode: Literal["auto", "json_schema", "tools", "json"] = _setting(
        "auto",
        Choice("auto", "json_schema", "tools", "json"),
        "How the endpoint is made to answer in our schema; `auto` finds out what it supports.",
    )
    temperature: float | None = _setting(
        0.0, Number(0, 2, optional=True), "Sampling temperature; `none` sends none, as some models ask."
    )
    seed: int | None = _setting(
        None,
        Integer(-(2**63), 2**63 - 1, optional=True),
        "Seed sent to the endpoint; none: not sent.",
        env=("GRADER_MODEL_SEED",),
    )
    max_output_tokens: int | None = _setting(
        None, Integer(1, optional=True), "Upper bound of a reply; none: the endpoint's own."
    )
    reasoning_effort: str | None = _setting(
        None, Text(optional=True), "Sent to reasoning models (`low`, `medium`, …); none: not sent."
    )
    extra_body: Mapping[str, Any] = _setting(
        {}, Table(), "Further fields of the request, for endpoints that want them. Part of a verdict's identity."
    )
    headers: Mapping[str, Secret] = _setting(
        {}, Headers(), 'Further HTTP headers. `"${NAME}"` reads a variable, so that no secret stands in the file.'
    )
    context_chars: int = _setting(
        240_000,
        Integer(1_000),
        "Longest prompt in characters, policies and transcript included; what is longer is cut, and says so, in place.",
    )
    group: Literal["rubric", "all"] = _setting(
        "rubric",
        Choice("rubric", "all"),
        "`rubric`: one call per conversation and rubric; `all`: one call with all rubrics, cheaper and less exact.",
        flag="--group",
    )
    timeout_seconds: float = _setting(120.0, Number(0.01, 86_400), "Longest wait for one answer.")
    connect_timeout_seconds: float = _setting(30.0, Number(0.01, 3_600), "Longest wait for a connection.")
    max_attempts: int = _setting(
        8, Integer(1, 100), "HTTP attempts per call, the first included (429, 5xx, time-outs, resets)."
    )
    max_backoff_seconds: float = _setting(60.0, Number(0, 3_600), "Longest pause between two attempts.")
    max_reasks: int = _setting(
        3,
        Integer(0, 10),
        "How often a reply that does not fit the schema is asked for again. A quote that does not hold: once, always.",
    )

    @property
    def resolved_kind(self) -> Literal["llm", "signals"]:
        """The judge that is used: `auto` decided."""
        if self.kind != "auto":
            return self.kind
        return "llm" if self.api_key or self.base_url or self.azure_endpoint else "signals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """How a run spends time and money."""

    concurrency: int = _setting(16, Integer(1, 10_000), "Most calls in flight.", flag="--concurrency")
    start_concurrency: int = _setting(
        8, Integer(1, 10_000), "Calls in flight at the start; grows while the endpoint keeps up."
    )
    budget_usd: float | None = _setting(
        None,
        Number(0, optional=True),
        "A run stops, to be resumed, before it would spend more; none: no limit.",
        flag="--budget",
    )
    abort_after_failures: int = _setting(
        20, Integer(1), "A run stops after so many failures in a row without a single success."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `grader report` shows, and in which language pages are."""

    max_conversations: int = _setting(
        100_000,
        Integer(1),
        "Most conversations shown with their transcript; the figures always count all.",
        env=("GRADER_REPORT_MAX_CONVERSATIONS",),
    )
    language: str = _setting(
        "en",
        Choice("en", "pt"),
        "The language of pages and briefs: en, or pt (Brazilian Portuguese).",
        env=("GRADER_REPORT_LANGUAGE",),
        flag="--language",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What `grader metrics`, `check` and `brief` need to know of the business."""

    human_hour_cost: float | None = _setting(
        None,
        Number(0, optional=True),
        "What an hour of a human agent costs, to put capacity into money; none: not told.",
    )
    currency: str = _setting("USD", Text(), "The currency of `human_hour_cost`.")
    fail_if: tuple[str, ...] = _setting(
        (), Texts(), "Conditions past which `grader check` fails, such as `recontact_rate.low > 0.2`, over everything."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What `grader promote` asks of a new version before it may take the place of the old one."""

    sensitivity_margin: float = _setting(
        0.05, Number(0, 1), "How much less of what people see the new version may flag, by the one-sided 95 % bound."
    )
    specificity_margin: float = _setting(
        0.02, Number(0, 1), "How much more often it may flag what people call clean, by the one-sided 95 % bound."
    )
    not_applicable_margin: float = _setting(
        0.05,
        Number(0, 1),
        "How much less often it may agree with people that a code is not applicable, by the same bound.",
    )
    critical_floor: float = _setting(
        0.7, Number(0, 1), "The least sensitivity of a critical code, by the lower end of its 95 % interval."
    )
    floors: Mapping[str, float] = _setting(
        {}, Floors(), "Per code, critical or not: its own floor in the place of `critical_floor`."
    )
    most_flips: float = _setting(
        0.02, Number(0, 1), "How often two runs of the new version on the same conversation may differ, at most."
    )
    fewest_repeats: int = _setting(
        100, Integer(2), "Conversations that the new version must have judged twice, at least."
    )
    fewest_positive: int = _setting(
        15, Integer(1), "Labels that have a code, in the test split, below which nothing is decided."
    )
    fewest_negative: int = _setting(
        15, Integer(1), "Labels that do not have it, in the test split, below which nothing is decided."
    )
    most_failed: float = _setting(
        0.05, Number(0, 1), "Share of the labelled conversations that the new version may have failed on, at most."
    )
    most_openings: int = _setting(
        3, Integer(1), "Judges of a rubric that the test split may be opened for; the next one needs fresh labels."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, and where each value came from. Made by `grader.config.load`."""

    root: Path
    file: Path | None = None
    workspace: Workspace = Workspace()
    people: People = People()
    judge: Judge = Judge()
    engine: Engine = Engine()
    report: Report = Report()
    figures: Figures = Figures()
    gate: Gate = Gate()
    queues: Mapping[str, Queue] = dataclasses.field(default_factory=dict, metadata={
        "kind": Queues(), "env": (), "flag": None,
        "doc": "Per queue: its `owner`, and `fail_if`, the conditions past which `grader check` fails for it.",
    })  # fmt: skip
    prices: Mapping[str, Price] = dataclasses.field(default_factory=dict, metadata={
        "kind": Prices(), "env": (), "flag": None,
        "doc": "Prices by model, USD per million tokens: `input`, `output`, `cached_input`. Before the built-in list.",
    })  # fmt: skip
    origins: Mapping[str, str] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def origin(self, key: str) -> str:
        """Where the value of `section.name` came from: `--model`, `environment GRADER_MODEL`, `grader.toml:7`, …"""
        if key not in BY_KEY and key not in SECRETS:
            raise KeyError(key)
        return self.origins.get(key, "default")

    def value(self, key: str) -> Any:
        """The value of `section.name`."""
        found: Any = self
        for part in key.split("."):
            found = getattr(found, part)
        return found

    def shown(self) -> dict[str, object]:
        """Every setting as something that JSON can hold and anybody may see: secrets masked, paths as text."""
        shown = {item.key: item.kind.show(self.value(item.key)) for item in SETTINGS}
        return shown | {key: mask(self.value(key)) for key in SECRETS}

    def require_workspace(self) -> Path:
        """The workspace's folder, or a ConfigError that tells how to make one."""
        if self.file is None:
            raise ConfigError(
                f"no workspace here: neither {self.root} nor a folder above it has a grader.toml",
                cure="grader init makes one here; --workspace DIR names another",
            )
        return self.root


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of the list of settings."""

    key: str
    kind: Kind
    default: Any
    doc: str
    env: tuple[str, ...]
    flag: str


SECTIONS: Mapping[str, type] = MappingProxyType(
    {
        "workspace": Workspace,
        "people": People,
        "judge": Judge,
        "engine": Engine,
        "report": Report,
        "figures": Figures,
        "gate": Gate,
    }
)


def _entry(key: str, field: dataclasses.Field[Any]) -> Setting:
    name = key.rpartition(".")[2]
    default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    meta = field.metadata
    return Setting(
        key, meta["kind"], default, meta["doc"], meta["env"] or (f"GRADER_{name.upper()}",),
        meta["flag"] or "--" + name.replace("_", "-"),
    )  # fmt: skip


def _entries() -> Iterator[Setting]:
    for section, record in SECTIONS.items():
        for field in dataclasses.fields(record):
            if "kind" in field.metadata:
                yield _entry(f"{section}.{field.name}", field)
    yield from (_entry(f.name, f) for f in dataclasses.fields(Settings) if "kind" in f.metadata)


SECRETS = ("judge.api_key", "people.identity_key")  # never in a file
SETTINGS: tuple[Setting, ...] = tuple(_entries())
BY_KEY: Mapping[str, Setting] = MappingProxyType({item.key: item for item in SETTINGS})
