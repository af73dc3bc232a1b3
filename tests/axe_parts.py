"""axe-core in a page that is open already: what it finds against WCAG 2.x A and AA and its own best practices."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_SOURCE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, *rules: str) -> list[str]:
    """Each violation as a line: rule, impact, what it is, and the first nodes; empty where there is none. All rules,
    the size of targets (WCAG 2.2) among them, or `rules` alone.
    """
    # Evaluated by the debugger, which a page's content security policy does not bind.
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SOURCE)
    options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    if rules:
        options = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": list(rules)}}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{v['id']} ({v['impact']}): {v['help']}: " + "; ".join(node["html"][:160] for node in v["nodes"][:3])
        for v in found["violations"]
    ]
