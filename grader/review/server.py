"""The addresses of the review app: one set for each person, behind a token that nobody can guess."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from grader import language
from grader.errors import GraderError, HeldError, RefusedError, StoreError
from grader.language import _
from grader.model import JsonValue
from grader.review import findings
from grader.review.guard import App, Guard
from grader.review.page import page, refused_page, unseen_characters, words
from grader.review.reporting import Reports
from grader.review.session import Person, Session
from grader.review.writer import Writer

Handler = Callable[[Request, Person], Awaitable[Response]]


class Server:
    """The session's people at their addresses. `tokens`: token → person."""

    def __init__(self, session: Session, writer: Writer, tokens: Mapping[str, Person], reports: Reports) -> None:
        self._session, self._writer, self._tokens, self._reports = session, writer, dict(tokens), reports

    def app(self, port: int) -> App:
        """The application, behind its guard."""
        routes = [
            self._route("", self._page),
            self._route("api/session", self._told),
            self._route("api/item/{item}", self._item),
            self._route("api/search", self._search),
            self._route("api/disputes", self._disputes),
            self._route("api/finding", self._finding),
            self._route("api/act", self._act, "POST"),
            self._route("api/dispute", self._dispute, "POST"),
            self._route("report/", self._report),
            self._route("report/{name}", self._report),
            self._route("report/{folder}/{name}", self._report),
        ]
        handlers = {GraderError: _refuse, HTTPException: _unknown, 500: _broken}
        inner = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
        inner.router.redirect_slashes = False
        return Guard(inner, port, lambda token: self._found(token) is not None)

    def _route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(f"/s/{{token}}/{path}", partial(self._answered, handler=handler), methods=[method])

    async def _answered(self, request: Request, handler: Handler) -> Response:
        person = self._found(request.path_params["token"])
        if person is None:
            raise HTTPException(404)
        wanted = request.headers.get("x-grader-language") or request.query_params.get("lang") or ""
        code = wanted if wanted in language.LANGUAGES else self._session.language
        with language.use(code):
            try:
                return await handler(request, person)
            except GraderError as error:  # here, where the language holds
                return await _refuse(request, error)

    def _found(self, token: str) -> Person | None:
        found = None
        for known, person in self._tokens.items():  # all of them, so that time tells nothing
            if hmac.compare_digest(known.encode(), token.encode()):
                found = person
        return found

    async def _page(self, request: Request, person: Person) -> Response:
        del request, person
        made = page(language.current())
        return HTMLResponse(made.html, headers={"Content-Security-Policy": made.csp})

    async def _told(self, request: Request, person: Person) -> Response:
        del request
        told = self._session.told(person)
        return JSONResponse({
            **told, "language": language.current(), "languages": words(), "unseen": unseen_characters(),
        })  # fmt: skip

    async def _item(self, request: Request, person: Person) -> Response:
        return JSONResponse(self._session.item(person, request.path_params["item"]))

    async def _search(self, request: Request, person: Person) -> Response:
        return JSONResponse({"items": self._session.search(person, request.query_params.get("q", "")[:500])})

    async def _act(self, request: Request, person: Person) -> Response:
        told = self._session.act(person, await _body(request))
        self._writer.wake()
        return JSONResponse(told)

    async def _disputes(self, request: Request, person: Person) -> Response:
        del request
        return JSONResponse({"disputes": self._session.disputes(person)})

    async def _finding(self, request: Request, person: Person) -> Response:
        wanted, question = (request.query_params.get(name, "") for name in ("conversation", "question"))
        session = self._session
        findings.may_be_shown(session, person, wanted, question)
        found = findings.kept(session.material, wanted, question)
        if found is None:
            found = await run_in_threadpool(self._reports.read, findings.reading(session.material, wanted))
        return JSONResponse(findings.told(session, person, question, found))

    async def _dispute(self, request: Request, person: Person) -> Response:
        told = self._session.dispute(person, await _body(request))
        self._writer.wake()
        return JSONResponse(told)

    async def _report(self, request: Request, person: Person) -> Response:
        self._session.check_report(person)
        where = request.path_params
        made = await run_in_threadpool(self._reports.file, where.get("name", ""), where.get("folder", ""))
        return HTMLResponse(made.html, headers={"Content-Security-Policy": made.csp})


async def _body(request: Request) -> dict[str, JsonValue]:
    try:
        found = json.loads(await request.body(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, _("this is no JSON")) from error
    if not isinstance(found, dict):
        raise RefusedError(400, _("this is no JSON object"))
    return found


def _no_number(text: str) -> float:
    raise ValueError(text)


async def _refuse(request: Request, error: GraderError) -> Response:
    status = error.status if isinstance(error, RefusedError) else 503 if isinstance(error, HeldError) else 500
    if isinstance(error, StoreError) and status == 500:
        status = 507
    return _told(request, status, error.message, error.cure)


def _told(
    request: Request, status: int, error: str, cure: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """A page for whoever opened the address in a browser, JSON for a script."""
    token = request.path_params.get("token")
    if token is None or request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": error, "cure": cure}, status, headers)
    made = refused_page(error, cure, f"/s/{token}/")
    return HTMLResponse(made.html, status, {**(headers or {}), "Content-Security-Policy": made.csp})


async def _unknown(request: Request, error: HTTPException) -> Response:
    del request
    told = {404: "there is no such page", 405: "no such method here"}.get(error.status_code, "this cannot be answered")
    return JSONResponse({"error": told, "cure": None}, error.status_code, error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    del request
    told = f"this is a fault in Grader itself ({type(error).__name__})"
    return JSONResponse({"error": told, "cure": "what was answered is kept; the terminal says more"}, 500)
