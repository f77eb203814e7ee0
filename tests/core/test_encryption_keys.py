"""Keys, from the text of a setting."""

import base64

import pytest

from oncue.core.encryption_keys import EncryptionKey, parse_keys
from oncue.core.errors import InvalidInput

RAW = bytes(range(32))
ENCODED = base64.b64encode(RAW).decode()
PHRASE = "correct horse battery"


def test_base64_of_32_bytes_is_the_key_itself() -> None:
    assert parse_keys(ENCODED) == (EncryptionKey.of(RAW),)


def test_text_is_derived_always_the_same_way() -> None:
    (key,) = parse_keys(PHRASE)

    assert (key,) == parse_keys(f" {PHRASE} ")
    # A derivation that changed would open nothing that was sealed before.
    assert key.secret.hex().startswith("a16515a762ce7e50")
    assert key != parse_keys(f"{PHRASE}!")[0]


def test_a_list_keeps_its_order_and_each_key_once() -> None:
    phrase, encoded = parse_keys(f"{PHRASE},{ENCODED},{PHRASE}")

    assert encoded.secret == RAW
    assert phrase == parse_keys(PHRASE)[0]


def test_ids_tell_keys_apart_and_nothing_of_them() -> None:
    key = EncryptionKey.of(RAW)

    assert key.id != EncryptionKey.of(bytes(32)).id
    assert key.id not in RAW
    assert RAW.hex() not in repr(key)
    assert "secret" not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "fifteen chars..",
        f"{ENCODED},",
        ",",
        # Base64, but of 9 bytes.
        base64.b64encode(b"nine char").decode(),
    ],
)
def test_what_is_too_short_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_keys(text)

    assert {problem.path for problem in refused.value.problems} == {"ENCRYPTION_KEY"}
    if len(text) > 5:
        assert text not in str(refused.value)
