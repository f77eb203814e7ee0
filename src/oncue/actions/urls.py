"""Parts of URLs that come from users."""

from urllib.parse import quote

from oncue.core.errors import PermanentError


def segment(text: str) -> str:
    """
    Return `text` as one segment of a path.

    Raises:
        PermanentError: it would lead to another place, however it is written.
    """
    if text in ("", ".", ".."):
        raise PermanentError(f"expected an id, got {text!r}")
    return quote(text, safe="")
