"""The keys that encrypt connections: of the settings, and of the data folder."""

import base64
from pathlib import Path
from typing import Final

from oncue.core.encryption_keys import EncryptionKey, parse_keys
from oncue.core.errors import InvalidInput, Problem
from oncue.settings import Environment, Settings
from oncue.system import fresh_secret, write_private

KEY_FILE: Final = "encryption.key"
"""In the data folder: the key of an installation that was given none."""


def vault_keys(settings: Settings) -> tuple[EncryptionKey, ...]:
    """
    Return the keys in force; without `ENCRYPTION_KEY` one is made in the data folder.

    A key that was made there once still decrypts when `ENCRYPTION_KEY` is set, so
    that a rotation can take it out of use.

    Raises:
        InvalidInput: they are no keys, or there is none in production.
    """
    path = settings.data / KEY_FILE
    if not settings.encryption_key:
        if settings.environment is Environment.PRODUCTION:
            message = "expected a key with ENVIRONMENT=production, got none"
            raise InvalidInput([Problem("ENCRYPTION_KEY", message)])
        if not path.exists():
            write_private(path, base64.b64encode(fresh_secret()))
    return known_keys(settings)


def known_keys(settings: Settings) -> tuple[EncryptionKey, ...]:
    """
    Return the keys that are there; none is made.

    Raises:
        InvalidInput: they are no keys.
    """
    given = parse_keys(settings.encryption_key) if settings.encryption_key else ()
    return tuple(dict.fromkeys([*given, *_kept(settings.data / KEY_FILE)]))


def _kept(path: Path) -> tuple[EncryptionKey, ...]:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput([Problem(str(path), "expected a key that can be read")]) from exc
    return parse_keys(text, str(path))
