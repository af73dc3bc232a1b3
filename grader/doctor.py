"""Is everything in place for a run? Each check says what it looked at and, where something is wrong, the way out.

A check changes nothing and never fails itself: what it meets becomes its finding.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies

from grader.config import Judge, Settings
from grader.errors import GraderError, StoreError

if TYPE_CHECKING:
    from grader.judge.probe import Probe

Status = Literal["ok", "warn", "fail"]
WRITTEN_IN = 2026  # no clock that is right shows a year before this program was written
MOST_SKEW_SECONDS = 60.0
LITTLE_ROOM_BYTES = 500_000_000
SLOW_MS = 20_000
HOW_TO_CONNECT = """\
No endpoint is set, so `signals` judges: deterministic detectors, offline, for the codes that code can decide.
To judge with a model:
  OpenAI      export OPENAI_API_KEY=…
  Azure       export AZURE_OPENAI_API_KEY=… GRADER_PROVIDER=azure GRADER_AZURE_ENDPOINT=https://NAME.openai.azure.com \\
              GRADER_MODEL=DEPLOYMENT
  Ollama      export GRADER_BASE_URL=http://localhost:11434/v1 GRADER_MODEL=qwen3:8b
  vLLM        export GRADER_BASE_URL=http://localhost:8000/v1 GRADER_MODEL=…
  llama.cpp   export GRADER_BASE_URL=http://localhost:8080/v1 GRADER_MODEL=any
  LiteLLM     export GRADER_BASE_URL=http://localhost:4000/v1 GRADER_API_KEY=… GRADER_MODEL=…
The same settings, but for the keys, can stand in grader.toml under [judge]."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `fail` means that a run cannot go well."""

    name: str
    status: Status
    detail: str
    cure: str | None = None


def examine(settings: Settings, *, now: datetime, ask_endpoint: bool = True) -> Iterator[Check]:
    """Every check in turn, each yielded when it is done. `ask_endpoint` False makes no connection."""
    yield _workspace(settings)
    yield from (Check("environment", "warn", warning, "unset it, or correct its name") for warning in settings.warnings)
    yield from _rubrics(settings)
    yield _prompts(settings)
    yield from _database(settings)
    yield _clock(settings, now)
    yield from examine_judge(settings, ask_endpoint=ask_endpoint)


def examine_judge(settings: Settings, *, ask_endpoint: bool = True) -> Iterator[Check]:
    """The judge alone: which it is, its key, its endpoint, its price."""
    if settings.judge.resolved_kind == "signals":
        yield Check("judge", "ok", "signals (offline)", None if settings.judge.kind == "signals" else HOW_TO_CONNECT)
        return
    key = _key(settings)
    yield key
    if settings.judge.provider == "azure" and not settings.judge.azure_endpoint:
        yield Check(
            "endpoint", "fail", "Azure needs the address of its endpoint",
            "export GRADER_AZURE_ENDPOINT=https://NAME.openai.azure.com, or set [judge] azure_endpoint; "
            "[judge] model names the deployment, api_version the version",
        )  # fmt: skip
        return
    reached = [key, *(_reach(settings.judge) if ask_endpoint else ())]
    yield from reached[1:]
    if ask_endpoint and not any(check.status == "fail" for check in reached):
        yield from _endpoint(settings)
    yield _price(settings)


def _workspace(settings: Settings) -> Check:
    if settings.file is None:
        return Check(
            "workspace", "fail", f"{settings.root} and the folders above it have no grader.toml",
            "grader init makes a workspace here; --workspace DIR names another",
        )  # fmt: skip
    if not os.access(settings.root, os.W_OK):
        return Check("workspace", "fail", f"{settings.root} cannot be written", "change the folder's permissions")
    free = shutil.disk_usage(settings.root).free
    if free < LITTLE_ROOM_BYTES:
        return Check("workspace", "warn", f"{settings.file}: {free / 1e6:.0f} MB left on the disk", "make room")
    return Check("workspace", "ok", str(settings.file))


def _rubrics(settings: Settings) -> Iterator[Check]:
    from grader.rubric import newest
    from grader.rubric.lint import lint

    lists = {"contact_reasons": dict(settings.workspace.contact_reasons)}
    try:
        rubrics = newest(settings.workspace.rubrics)
        if not rubrics:
            yield Check(
                "rubrics", "fail", f"no rubric in {settings.workspace.rubrics}", "grader init copies the shipped ones"
            )
            return
        findings = lint([rubric.with_options(lists) for rubric in rubrics], lists)
    except GraderError as error:
        yield Check("rubrics", "fail", error.message, error.cure)
        return
    names = ", ".join(rubric.reference for rubric in rubrics)
    wrong = [f for f in findings if f.level == "error"]
    if findings:
        first = (wrong or findings)[0]
        yield Check(
            "rubrics", "fail" if wrong else "warn",
            f"{len(wrong)} errors, {len(findings) - len(wrong)} warnings in {names}; {first.rubric}: {first.message}",
            "grader rubric lint shows them all",
        )  # fmt: skip
    else:
        yield Check("rubrics", "ok", names)


def _prompts(settings: Settings) -> Check:
    from grader.prompt import Templates

    try:
        templates = Templates.load(settings.workspace.prompts, language=settings.workspace.language)
    except GraderError as error:
        return Check("prompts", "fail", error.message, error.cure)
    return Check("prompts", "ok", f"{settings.workspace.prompts} ({templates.prompt_hash[:11]})")


def _database(settings: Settings) -> Iterator[Check]:
    from grader.engine.journal import journals
    from grader.store import open_store

    path = settings.workspace.database
    waiting = journals(settings.workspace.state_dir / "journal")
    if not path.exists():
        if waiting:
            yield Check(
                "database", "fail", f"{path} is gone, but {len(waiting)} journals are there",
                "restore it, or take the inputs in again (grader ingest) and run grader db rebuild",
            )  # fmt: skip
        elif path.parent.is_dir():
            yield Check("database", "ok", f"{path} is not there yet; grader ingest makes it")
        else:
            yield Check("database", "fail", f"the folder {path.parent} does not exist", f"mkdir -p {path.parent}")
        return
    try:
        with open_store(path, read_only=True) as store:
            n = store.rows("select count(*) from conversation")[0][0]
            absorbed = {journal.name: store.absorbed(journal.name) for journal in waiting}
            fingerprint = store.key_fingerprint()
    except StoreError as error:
        yield Check("database", "fail", error.message, error.cure)
        return
    yield Check("database", "ok", f"{path}: {n} conversations, {path.stat().st_size / 1e6:.1f} MB")
    behind = [journal for journal in waiting if absorbed[journal.name] < journal.stat().st_size]
    if behind:
        yield Check(
            "journals", "warn", f"{len(behind)} of {len(waiting)} hold results that are not in the database yet",
            "the next grader grade takes them in",
        )  # fmt: skip
    else:
        yield Check("journals", "ok", f"{len(waiting)}, all taken in")
    yield _identity_key(settings, fingerprint)


def _identity_key(settings: Settings, fingerprint: str | None) -> Check:
    """The key that the identities are stored with. Only ingest needs it, but without it nothing more goes in."""
    from grader.people import Keyring
    from grader.people.key import CURE, FILE

    secret = settings.people.identity_key
    keyring = Keyring(settings.workspace.state_dir / FILE, secret.reveal() if secret else None)
    try:
        wrong = keyring.check(fingerprint)
    except StoreError as error:
        return Check("identity key", "fail", error.message, error.cure)
    if wrong is None:
        told = "none yet; the first ingest makes it" if fingerprint is None else keyring.where
        return Check("identity key", "ok", told)
    open_to_all = wrong.endswith("by others")
    return Check("identity key", "warn" if open_to_all else "fail", wrong, "chmod 600 it" if open_to_all else CURE)


def _clock(settings: Settings, now: datetime) -> Check:
    local = now.astimezone(settings.workspace.tz)
    shown = f"{local:%Y-%m-%d %H:%M} ({settings.workspace.timezone})"
    if not WRITTEN_IN <= now.year < WRITTEN_IN + 50:
        return Check("clock", "fail", f"this machine says {shown}", "set the clock: policies in force depend on dates")
    return Check("clock", "ok", shown)


def _key(settings: Settings) -> Check:
    origin = settings.origin("judge.api_key").removeprefix("environment ")
    if settings.judge.api_key is not None:
        return Check("key", "ok", f"from {origin}")
    if settings.judge.api_key_env:
        name = settings.judge.api_key_env
        return Check("key", "fail", f"judge.api_key_env names {name}, which is not set", f"export {name}=…")
    if settings.judge.provider == "azure":
        return Check("key", "fail", "Azure needs a key", "export AZURE_OPENAI_API_KEY=…")
    if settings.judge.base_url is None:
        return Check("key", "fail", "api.openai.com needs a key", "export OPENAI_API_KEY=…, or set base_url")
    return Check("key", "ok", "none, as local endpoints allow")


def _address(judge: Judge) -> str:
    azure = judge.azure_endpoint if judge.provider == "azure" else None
    return azure or judge.base_url or "https://api.openai.com/v1"


def _reach(judge: Judge) -> Iterator[Check]:
    """DNS and TCP, so that a refused connection is told apart from a wrong name; a proxy does both for us."""
    parts = urlsplit(_address(judge))
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme == "http" and judge.api_key and host not in ("localhost", "127.0.0.1", "::1"):
        yield Check("encryption", "warn", f"the key and customers' words travel to {host} unencrypted", "use https://")
    if parts.scheme in getproxies():
        yield Check("network", "ok", f"{host} through the proxy of the environment")
        return
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield Check(
            "network", "fail", f"{host} is no known host: {error.strerror or error}",
            "check [judge] base_url and the network",
        )  # fmt: skip
        return
    try:
        with socket.create_connection((host, port), timeout=min(10.0, judge.connect_timeout_seconds)):
            yield Check("network", "ok", f"{host}:{port} ({addresses[0][4][0]}) takes connections")
    except OSError as error:
        yield Check(
            "network", "fail", f"{host}:{port} takes no connection: {error.strerror or error}",
            "start the server, or check [judge] base_url",
        )  # fmt: skip


def _endpoint(settings: Settings) -> Iterator[Check]:
    from grader.judge.probe import probe

    try:
        found = asyncio.run(probe(settings.judge))
    except GraderError as error:
        yield Check("endpoint", "fail", error.message, error.cure)
        return
    yield from told(found, settings.judge)


def told(found: Probe, judge: Judge) -> Iterator[Check]:
    """What a probe found, as checks."""
    if found.skew_seconds is not None and abs(found.skew_seconds) > MOST_SKEW_SECONDS:
        yield Check(
            "clock", "warn", f"this machine is {found.skew_seconds:+.0f} s off the endpoint's clock", "set the clock"
        )
    if found.models is not None:
        if judge.model in found.models or judge.provider == "azure":
            yield Check("model", "ok", f"{judge.model} is one of {len(found.models)} that the endpoint lists")
        else:
            some = ", ".join(sorted(found.models)[:8])
            yield Check("model", "warn", f"{judge.model} is not among the models listed: {some}", "set [judge] model")
    if found.problem is not None:
        status = f"HTTP {found.status}: " if found.status else ""
        yield Check("call", "fail", f"{status}{found.problem}", _cure(found, judge))
        return
    slow = found.latency_ms is not None and found.latency_ms > SLOW_MS
    usage = "" if found.reports_usage else "; it reports no token counts, so costs stay unknown"
    yield Check(
        "call", "warn" if slow or not found.reports_usage else "ok",
        f"{judge.model} answered in {found.latency_ms or 0:.0f} ms{usage}"
        + ("; it wants user and assistant in turns, and gets them" if found.alternates else ""),
        "raise timeout_seconds, lower concurrency" if slow else None,
    )  # fmt: skip
    told_modes = "; ".join(f"{mode} {'works' if why is None else f'no ({why})'}" for mode, why in found.modes.items())
    if found.best_mode:
        yield Check("structured", "ok", f"{found.best_mode} is used: {told_modes}")
    else:
        cure = 'another model, or [judge] mode = "auto"' if judge.mode != "auto" else "try another model or server"
        yield Check("structured", "fail", told_modes, cure)


def _cure(found: Probe, judge: Judge) -> str:
    if found.status in (401, 403):
        return "the key is wrong, expired or not allowed here: renew it, and check which variable it comes from"
    if found.status == 404:
        return "check [judge] model and base_url; most base URLs end in /v1"
    if found.status == 429:
        return "the endpoint says too many requests or no quota: check the account, or lower [engine] concurrency"
    if found.status in (400, 422):
        return (
            'a model may refuse a parameter: temperature = "none" and max_output_tokens = "none" send none; '
            "[judge] extra_body adds what it wants"
        )
    if found.status is None:
        return (
            f"no HTTP answer from {judge.base_url or found.url}: is it an OpenAI-compatible server, and is TLS right?"
        )
    return "look at the server's own log"


def _price(settings: Settings) -> Check:
    from grader.judge.prices import PriceList

    judge = settings.judge
    cost = PriceList(settings.prices, _address(judge) if judge.base_url or judge.azure_endpoint else None).cost(
        judge.model, 1_000_000, 0, 0
    )
    if cost is None:
        return Check(
            "price", "warn", f"no price is known for {judge.model}: costs stay unknown and a budget cannot hold",
            f'[prices."{judge.model}"] input = …, output = … (USD per million tokens; 0 where it costs nothing)',
        )  # fmt: skip
    own = " (grader.toml)" if judge.model in settings.prices else ""
    return Check("price", "ok", f"{judge.model}: {cost:g} USD per million input tokens{own}")
