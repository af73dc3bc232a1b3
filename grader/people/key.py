"""The key of the identities: it stands outside the database, so that who has the database alone cannot try numbers.

It comes from the environment, or from a file that only its owner may read, which is made when first needed. It is never
shown; the database keeps a fingerprint, so that another key is noticed.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from grader.errors import StoreError

VARIABLE = "GRADER_IDENTITY_KEY"
FILE = "identity.key"
_SHORTEST = 32  # characters


class Key:
    """A key. It has no text: not in repr, str, a pickle or a traceback."""

    __slots__ = ("__secret", "fingerprint")

    def __init__(self, text: str) -> None:
        self.__secret = text.strip().encode()
        self.fingerprint = self.hash("", "the fingerprint of this key")[:16]

    def hash(self, kind: str, value: str) -> str:
        """The first 128 bits of HMAC-SHA256 over kind and value, as 32 hexadecimal digits."""
        text = f"{kind}\n{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.__secret, text, "sha256").hex()[:32]

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not stored")


@dataclass
class Keyring:
    """Where the key is: in `text` (of the environment), else in the file, which is made when no database needs the one
    that it lacks.
    """

    file: Path
    text: str | None = field(default=None, repr=False)
    _key: Key | None = field(default=None, init=False, repr=False)

    def key(self, fingerprint: str | None) -> Key:
        """The key of a database with this fingerprint, None: one that has no identities yet. Raises StoreError."""
        if self._key is None:
            self._key = self._found() or self._made(fingerprint)
        if fingerprint is not None and self._key.fingerprint != fingerprint:
            raise StoreError(
                f"{self.where} is not the key that the identities in the database were stored with "
                f"(its fingerprint is {self._key.fingerprint}, the database wants {fingerprint})",
                cure=CURE,
            )
        return self._key

    @property
    def where(self) -> str:
        """Where the key comes from."""
        return f"the environment variable {VARIABLE}" if self.text else str(self.file)

    def check(self, fingerprint: str | None) -> str | None:
        """What is wrong with the key for this database, None: nothing. Makes no key."""
        if self._key is None:
            self._key = self._found()
        if self._key is None:
            return None if fingerprint is None else f"{self.file}: the key of the identities is gone"
        if fingerprint not in (None, self._key.fingerprint):
            return f"{self.where} is not the key of the database"
        if not self.text and self.file.stat().st_mode & 0o077:
            return f"{self.file} can be read by others"
        return None

    def _found(self) -> Key | None:
        text = self.text
        if text is None:
            try:
                text = self.file.read_text(encoding="ascii")
            except FileNotFoundError:
                return None
            except (OSError, UnicodeDecodeError) as error:
                reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
                raise StoreError(
                    f"{self.file}: the key of the identities cannot be read: {reason}", cure="check who owns the file"
                ) from error
        if len(text.strip()) < _SHORTEST:
            raise StoreError(
                f"{self.where}: a key of identities has at least {_SHORTEST} characters",
                cure="put back the key that this database was made with; for a new database: openssl rand -hex 32",
            )
        return Key(text)

    def _made(self, fingerprint: str | None) -> Key:
        if fingerprint is not None:
            raise StoreError(
                f"{self.file} is not there: the identities in the database were stored with its key", cure=CURE
            )
        part = self.file.with_name(f".{FILE}.{secrets.token_hex(8)}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            _put(part, self.file)
        except OSError as error:
            raise StoreError(
                f"{self.file}: the key of the identities cannot be made: {error.strerror}",
                cure=f"check the folder's rights, or set {VARIABLE}",
            ) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
        made = self._found()
        assert made is not None  # noqa: S101 - it was linked, or was there
        return made


def _put(part: Path, file: Path) -> None:
    """Give the finished file its name. Where another process was faster, its key stands."""
    try:
        os.link(part, file)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not file.exists():
            part.rename(file)


CURE = (
    f"put the right {FILE} back (or export {VARIABLE}); if it is lost, move the database away and take the files "
    "in again"
)
