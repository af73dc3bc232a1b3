"""Phone numbers as the people who have them are reached: in E.164, with what two writings of one mobile differ in
taken out. Google's metadata (phonenumbers) knows how each country writes; three countries' mobiles are written in two
ways even so, and WhatsApp's ids use the older one.
"""

from __future__ import annotations

import re
import unicodedata

_FEWEST_DIGITS = 6
_INTERNATIONAL = 10  # so many digits without a plus may be a whole number, as WhatsApp writes it
_SEQUENCES = "01234567890123456789", "98765432109876543210"


def number(value: str, region: str | None = None) -> str | None:
    """The digits under which all writings of one number meet; None where it is nobody's.

    Without a country in it and without a region that fits, the digits as they stand.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    text = re.sub(r"^(?i:whatsapp|tel|phone|sms)\s*:\s*", "", text)
    digits = "".join(re.findall(r"\d", text))
    if not digits.isascii():
        digits = "".join(str(unicodedata.decimal(c)) for c in digits)
    if text.startswith("+") or digits.startswith("00"):
        found = _parsed("+" + text.lstrip("+") if text.startswith("+") else "+" + digits[2:], None)
        digits = found or digits.removeprefix("00")
    else:
        found = _parsed(text, region, valid=True) if region else None
        if not found and len(digits) >= _INTERNATIONAL:
            found = _parsed("+" + digits, None, valid=True)
        digits = found or digits
    digits = _one_way(digits)
    return None if _nobodys(digits) else digits


def _parsed(text: str, region: str | None, *, valid: bool = False) -> str | None:
    """The digits of E.164; with `valid` only where the country has such numbers."""
    import phonenumbers  # loaded with the first number: most commands see none

    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if valid and not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")


def _one_way(digits: str) -> str:
    """Brazil: a mobile has nine digits after its area, and WhatsApp leaves out the first 9 of older ones. Mexico: the 1
    after 52 is no part of the number any more. Argentina: the 9 after 54 says mobile, and is often left out.
    """
    if re.fullmatch(r"55[1-9][1-9][6-9]\d{7}", digits):
        return f"{digits[:4]}9{digits[4:]}"
    if re.fullmatch(r"521[1-9]\d{9}", digits) or re.fullmatch(r"549[1-9]\d{9}", digits):
        return digits[:2] + digits[3:]
    return digits


def _nobodys(digits: str) -> bool:
    """Too short, or made up: one digit over and over, or counting up or down."""
    if len(digits) < _FEWEST_DIGITS:
        return True
    tail = digits[-8:]
    return len(set(tail)) == 1 or any(digits in sequence for sequence in _SEQUENCES)
