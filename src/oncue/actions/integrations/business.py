"""Customers, tickets, meetings."""

from collections.abc import Mapping
from typing import Final

from oncue.actions.integrations.asking import HTTP_URL, ask, bearer, endpoint, endpoint_of
from oncue.core.errors import PermanentError
from oncue.core.integration import Credential, Integration, Reach

# Linear's tokens of OAuth are a bearer's; a personal key stands alone.
_LINEAR_OAUTH: Final = "lin_oauth_"
_GOOGLE_TOKENS: Final = "https://oauth2.googleapis.com/token"


async def _ask_hubspot(values: Mapping[str, str], reach: Reach) -> str:
    url = f"{endpoint_of(values)}/account-info/v3/details"
    found = await ask(reach, "HubSpot", url, bearer(values["api_key"]))
    return f"HubSpot knows the key of portal {found.get('portalId')}"


HUBSPOT = Integration(
    name="hubspot",
    title="HubSpot",
    credentials=(
        Credential("api_key", "Token of a private app.", example="pat-eu1-123456789"),
        Credential(
            "api_version",
            "Version of HubSpot's API.",
            is_secret=False,
            is_inherited=True,
            pattern=r"v\d+|\d{4}-\d{2}",
            example="v3",
        ),
        endpoint("HubSpot", "https://api.hubapi.com"),
    ),
    enough=(("api_key",),),
    probe=_ask_hubspot,
)


async def _ask_linear(values: Mapping[str, str], reach: Reach) -> str:
    key = values["api_key"]
    headers = bearer(key) if key.startswith(_LINEAR_OAUTH) else {"Authorization": key}
    query = {"query": "query { viewer { id name } }"}
    url = f"{endpoint_of(values)}/graphql"
    found = await ask(reach, "Linear", url, headers, method="POST", body=query)
    match found:
        case {"data": {"viewer": {"name": str(name)}}}:
            return f"Linear knows the key of {name}"
        case {"errors": [{"message": str(message)}, *_]}:
            raise PermanentError(f"Linear refused: {message}")
        case _:
            raise PermanentError("expected Linear to say whose key it is, got something else")


LINEAR = Integration(
    name="linear",
    title="Linear",
    credentials=(
        Credential("api_key", "Personal key, or token of OAuth.", example="lin_api_123456789"),
        endpoint("Linear", "https://api.linear.app"),
    ),
    enough=(("api_key",),),
    probe=_ask_linear,
)


async def _ask_google(values: Mapping[str, str], reach: Reach) -> str:
    url = f"{endpoint_of(values)}/calendar/v3/users/me/calendarList?maxResults=1"
    await ask(reach, "Google Calendar", url, bearer(values["token"]))
    return "Google lists the calendars"


GOOGLE_CALENDAR = Integration(
    name="google_calendar",
    title="Google Calendar",
    credentials=(
        Credential("token", "Access token; Google takes it for an hour."),
        Credential(
            "client_id",
            "Client of OAuth.",
            is_secret=False,
            example="123-abc.apps.googleusercontent.com",
        ),
        Credential("client_secret", "Its secret."),
        Credential("refresh_token", "What access tokens are fetched with."),
        Credential(
            "token_url",
            "Where they are fetched.",
            is_secret=False,
            default=_GOOGLE_TOKENS,
            pattern=HTTP_URL,
            example=_GOOGLE_TOKENS,
        ),
        endpoint("Google", "https://www.googleapis.com"),
    ),
    enough=(("client_id", "client_secret", "refresh_token"), ("token",)),
    probe=_ask_google,
    refreshes=True,
)
