"""Ciphertexts: opened in their place, with their key, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.encryption_keys import EncryptionKey
from oncue.ports import LockedError
from oncue.store.vault import AesVault

OLD, FRESH = (EncryptionKey.of(bytes([n]) * 32) for n in (1, 2))
SECRET = b'{"bot_token":"xoxb-planted"}'


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_what_was_sealed_is_opened(secret: bytes, account: str, name: str) -> None:
    vault = AesVault([OLD])

    assert vault.open(account, name, vault.seal(account, name, secret)) == secret


def test_a_secret_is_sealed_to_something_else_each_time() -> None:
    vault = AesVault([OLD])
    first, second = (vault.seal("acc", "a", SECRET) for _ in range(2))

    assert first != second
    assert b"planted" not in first


@pytest.mark.parametrize(
    ("account", "name"), [("acc_2", "alerts"), ("acc_1", "other"), ("acc_1alerts", ""), ("", "")]
)
def test_a_ciphertext_that_was_moved_is_not_opened(account: str, name: str) -> None:
    vault = AesVault([OLD])
    sealed = vault.seal("acc_1", "alerts", SECRET)

    with pytest.raises(LockedError, match="another account or name"):
        vault.open(account, name, sealed)


def test_no_bit_can_be_changed() -> None:
    vault = AesVault([OLD])
    sealed = vault.seal("acc", "a", SECRET)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(LockedError):
            vault.open("acc", "a", bytes(changed))


@pytest.mark.parametrize("length", [0, 1, 5, 17, 32])
def test_a_ciphertext_that_was_cut_is_not_opened(length: int) -> None:
    vault = AesVault([OLD])

    with pytest.raises(LockedError):
        vault.open("acc", "a", vault.seal("acc", "a", SECRET)[:length])


def test_every_key_opens_and_the_first_one_seals() -> None:
    sealed = AesVault([OLD]).seal("acc", "a", SECRET)
    both = AesVault([FRESH, OLD])

    assert both.open("acc", "a", sealed) == SECRET
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("acc", "a", SECRET))


def test_a_key_that_is_missing_is_named() -> None:
    sealed = AesVault([OLD]).seal("acc", "a", SECRET)

    with pytest.raises(LockedError, match=OLD.id.hex()):
        AesVault([FRESH]).open("acc", "a", sealed)


def test_a_fingerprint_knows_a_secret_again_and_needs_the_key() -> None:
    prints = {
        AesVault([key]).fingerprint(account, secret)
        for key in (OLD, FRESH)
        for account in ("acc_1", "acc_2")
        for secret in (SECRET, b"another")
    }

    assert len(prints) == 8
    assert AesVault([OLD]).fingerprint("acc_1", SECRET) in prints
