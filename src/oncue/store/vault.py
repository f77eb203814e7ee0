"""
AES-256-GCM: what is sealed for an account and a name opens only there.

    format (1 byte) | key id (4) | nonce (12) | ciphertext and tag

Account and name are authenticated with it, so a ciphertext that is moved to
another row is as useless as one that was changed. Nonces are random: a key may
seal 2**32 times before two that are equal are to be feared (NIST SP 800-38D §8.3).
"""

import hmac
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oncue.core.encryption_keys import ID_BYTES, EncryptionKey
from oncue.core.json_text import encode_json
from oncue.ports import LockedError

_FORMAT: Final = b"\x01"
_NONCE: Final = 12
_TAG: Final = 16
_HEAD: Final = len(_FORMAT) + ID_BYTES + _NONCE


class AesVault:
    """Seals with the first key, opens with each."""

    def __init__(self, keys: Sequence[EncryptionKey]) -> None:
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._first = keys[0].id
        self._first_secret = keys[0].secret

    def seal(self, account: str, name: str, secret: bytes) -> bytes:
        """Return `secret` encrypted under the first key."""
        nonce = os.urandom(_NONCE)
        head = _FORMAT + self._first + nonce
        return head + self._ciphers[self._first].encrypt(nonce, secret, _place(account, name))

    def open(self, account: str, name: str, sealed: bytes) -> bytes:
        """
        Return what was sealed for this account and name.

        Raises:
            LockedError: no key opens it, or it was sealed for another place.
        """
        if sealed[: len(_FORMAT)] != _FORMAT or len(sealed) < _HEAD + _TAG:
            raise LockedError("it was not written by this version of OnCue, or is damaged")
        key_id = key_id_of(sealed)
        cipher = self._ciphers.get(bytes.fromhex(key_id))
        if cipher is None:
            raise LockedError(f"the key that it was encrypted with, {key_id}, is not there")
        nonce = sealed[_HEAD - _NONCE : _HEAD]
        try:
            return cipher.decrypt(nonce, sealed[_HEAD:], _place(account, name))
        except InvalidTag as exc:
            raise LockedError("it was changed, or encrypted for another account or name") from exc

    def fingerprint(self, account: str, secret: bytes) -> str:
        """Return what is the same for the same secret, and tells nothing without the first key."""
        place = encode_json(["fingerprint", account])
        return hmac.new(self._first_secret, place + secret, "sha256").hexdigest()

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the first key made it."""
        return sealed.startswith(_FORMAT + self._first)


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key that something was sealed with."""
    return sealed[len(_FORMAT) : len(_FORMAT) + ID_BYTES].hex()


def _place(account: str, name: str) -> bytes:
    return encode_json(["connection", account, name])
