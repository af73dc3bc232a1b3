"""Personal data in words that go into a file: addresses, numbers, links, known names, masked the same everywhere.

By rule, so that it finds what has a shape. Names that no field tells, places and stories have none: a person must read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SEPARATED = r"[ ().\-/\u00a0]{0,2}"
_FOUND = re.compile(
    # Dates and times stay: what a deadline is about would be gone. So do sizes: 200x220.
    r"(?P<kept>(?<!\d)\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\d-])"
    r"|(?<![\d./-])\d{1,2}(?P<by>[./-])\d{1,2}(?P=by)\d{2,4}(?![\d./-])"
    r"|(?<![\w.-])\d{1,4}(?:x\d{1,4}){1,2}(?![\w-]))"
    r"|(?P<email>(?<![\w.+%*-])[\w.+%*-]{1,64}@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<link>(?:https?://|www\.)[^\s\"'<>]+)"
    r"|(?P<handle>(?<![\w@.])@[A-Za-z_]\w{2,})"
    # In one run; or in groups, which begin like a phone or end in three digits: sizes, prices and hours do neither.
    r"|(?P<phone>(?<![\w.])\+?\d{8,}(?!\w)|(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)"
    rf"|(?<![\w.])(?:\+\(?|\(|(?=0))\d(?:{_SEPARATED}\d){{7,40}}(?!\w)"
    rf"|(?<![\w.])\d(?:{_SEPARATED}\d){{4,40}}{_SEPARATED}\d{{3,}}(?!\w))"
    r"|(?P<number>(?<!\w)(?:#\s?\d{3,}|[A-Z]{1,5}[-_]?\d{3,}|[a-z]{1,5}[-_]\d{3,})(?:[-_]\w+)*(?!\w)"
    r"|(?<!\w)(?=(?:[A-Za-z-]{0,40}\d){5})[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?!\w)|\d{5,})"
)
_HOST = re.compile(r"((?:https?://)?)(?:[^\s/?#@]*@)?([^\s/?#]+)(.*)", re.DOTALL)
# Of what letters and digits take turns in, a key or a fingerprint, the letters tell as much.
_ALTERNATING = re.compile(r"[A-Za-z]\d+[A-Za-z]+\d")
# What a tool's result tells of a person, by the name of the field.
_FIELDS = re.compile(
    r'"(?:\w*_)?(?:name|recipient|street|address|address_line\w*|city|zip|postcode|postal_code|cep)"\s*:\s*"([^"\\]{3,80})"'
)
KINDS = {
    "email": "e-mail address", "link": "link", "handle": "handle", "phone": "phone or card number",
    "number": "order or other number", "name": "name or address",
}  # fmt: skip
_PLURALS = {"e-mail address": "e-mail addresses", "name or address": "names and addresses"}


def told_names(texts: Iterable[str]) -> list[str]:
    """Names and addresses that fields of tools' results tell, the longest first."""
    found = {match[1].strip() for text in texts for match in _FIELDS.finditer(text)}
    return sorted((name for name in found if any(c.isupper() or c.isdigit() for c in name)), key=lambda n: (-len(n), n))


class Mask:
    """One of these for one file: the same number, address or name gets the same mask wherever it stands."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._n: dict[str, int] = {}
        self._seen: dict[str, set[str]] = {}

    def __call__(self, text: str, names: Iterable[str] = ()) -> str:
        """The text with what was found masked in its own shape. `names`: of the people in it, where they are told."""
        text = _FOUND.sub(self._masked, text)
        for name in names:
            text = self._without(text, name)
        return text

    @property
    def told(self) -> list[str]:
        """What was masked, and how many different ones: `2 e-mail addresses`."""
        found = []
        for kind, thing in KINDS.items():
            n = len(self._seen.get(kind, ()))
            if n:
                found.append(f"{n} {thing if n == 1 else _PLURALS.get(thing, thing + 's')}")
        return found

    def _without(self, text: str, name: str) -> str:
        whole = name.strip()
        if len(whole) < 3 or not any(c.isalpha() for c in whole):
            return text
        parts = "|".join(re.escape(part) for part in whole.split() if len(part) >= 3)
        found = rf"(?<!\w)(?:(?i:{re.escape(whole)}){'|' if parts else ''}{parts})(?!\w)"
        return re.sub(found, lambda _: self._counted("name", whole.casefold(), "Name"), text)

    def _masked(self, match: re.Match[str]) -> str:
        text = match[0]
        if match["kept"]:
            return text
        if match["email"]:
            return self._counted("email", text.lower(), "person") + "@example.com"
        if match["handle"]:
            return self._counted("handle", text.lower(), "@name")
        if match["link"]:
            scheme, host, rest = _HOST.fullmatch(text).groups()  # type: ignore[union-attr]
            if len(rest) <= 1:
                return text
            return f"{scheme}{host}/" + self._counted("link", text, "link")
        return self._digits("phone" if match["phone"] else "number", text)

    def _digits(self, kind: str, text: str) -> str:
        """The same text with other digits: its shape stays, and whatever has the same digits gets the same ones."""
        digits = "".join(c for c in text if c.isdigit())
        self._seen.setdefault(kind, set()).add(digits)
        key = ("digits", digits)
        if key not in self._known:
            self._n["digits"] = self._n.get("digits", 0) + 1
            self._known[key] = str(self._n["digits"]).zfill(len(digits))[-len(digits) :]
        new = iter(self._known[key])
        mixed = bool(_ALTERNATING.search(text))
        return "".join(next(new) if c.isdigit() else "x" if mixed and c.isalpha() else c for c in text)

    def _counted(self, kind: str, key: str, word: str) -> str:
        self._seen.setdefault(kind, set()).add(key)
        if (kind, key) not in self._known:
            self._n[kind] = self._n.get(kind, 0) + 1
            self._known[kind, key] = f"{word}{self._n[kind]}"
        return self._known[kind, key]
