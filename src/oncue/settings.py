"""Settings: flags, then environment, then `<data>/config.toml`."""

import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self

from platformdirs import user_data_path
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from oncue.core.errors import InvalidInput, Problem
from oncue.core.instants import parse_duration
from oncue.core.problems import nearest, problems_of
from oncue.ports.catalog import (
    MAX_QUERY_BYTES,
    MAX_QUERY_MEMORY_MB,
    MIN_QUERY_BYTES,
    MIN_QUERY_MEMORY_MB,
)

DEFAULT_PORT = 8787
CONFIG = "config.toml"
"""The file of settings in the data folder."""
_DATA = "ONCUE_DATA"
# Kubernetes injects these for every service it runs beside us, one named `oncue` included.
_INJECTED = ("ONCUE_SERVICE_", "ONCUE_PORT_")
_INJECTED_VALUE = "tcp://"


class Environment(StrEnum):
    """What kind of installation this is."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as exc:
        raise ValueError(
            f"expected networks such as 10.1.0.0/16, 127.0.0.1, got {value!r}"
        ) from exc


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


DurationMs = Annotated[int, BeforeValidator(_duration)]


def _archive_url(value: object) -> object:
    text = str(value)
    bucket = text.removeprefix("s3://").partition("/")[0] if text.startswith("s3://") else ""
    if not text or bucket or Path(text).is_absolute():
        return value
    raise ValueError(f"expected a whole path, or s3://bucket/prefix, got {value!r}")


ArchiveUrl = Annotated[str, BeforeValidator(_archive_url)]


def _default_data() -> Path:
    return user_data_path("oncue")


class Settings(BaseSettings):
    """Every setting, under the name that it has in the environment."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    environment: Environment = Field(
        Environment.DEVELOPMENT, alias="ENVIRONMENT", description="development or production."
    )
    max_workflow_steps: int = Field(
        100, alias="MAX_WORKFLOW_STEPS", ge=1, description="Steps that one definition may have."
    )
    encryption_key: str = Field(
        "",
        alias="ENCRYPTION_KEY",
        description="Encrypts connections: base64 of 32 bytes, or text of 16 characters and more; "
        "several with commas between, of which the first encrypts and all decrypt. "
        "Without it, one is made in the data folder.",
    )
    shared_connections: bool = Field(
        default=False,
        alias="ONCUE_SHARED_CONNECTIONS",
        description="Vendor variables serve all accounts, and not the first one only.",
    )
    resend_api_key: str = Field(
        "", alias="RESEND_API_KEY", description="Key of Resend, for e-mail."
    )
    twilio_account_sid: str = Field(
        "", alias="TWILIO_ACCOUNT_SID", description="Account of Twilio, for text messages."
    )
    twilio_auth_token: str = Field(
        "", alias="TWILIO_AUTH_TOKEN", description="Token of that account."
    )
    slack_webhook_url: str = Field(
        "", alias="SLACK_WEBHOOK_URL", description="Incoming webhook of Slack."
    )
    slack_bot_token: str = Field(
        "", alias="SLACK_BOT_TOKEN", description="Token of a bot of Slack (`xoxb-…`)."
    )
    hubspot_api_key: str = Field(
        "", alias="HUBSPOT_API_KEY", description="Private app token of HubSpot."
    )
    linear_api_key: str = Field(
        "", alias="LINEAR_API_KEY", description="Key of Linear, for tickets."
    )
    google_calendar_token: str = Field(
        "", alias="GOOGLE_CALENDAR_TOKEN", description="Access token of Google, for meetings."
    )
    api_key: str = Field(
        "", alias="ONCUE_API_KEY", description="The first account's first key; else one is made."
    )
    url: str = Field("", alias="ONCUE_URL", description="Where commands find a running OnCue.")
    host: str = Field("127.0.0.1", alias="ONCUE_HOST", description="Address to listen on.")
    port: int = Field(
        DEFAULT_PORT, alias="ONCUE_PORT", ge=0, le=65_535, description="Port to listen on."
    )
    data: Path = Field(
        default_factory=_default_data,
        alias="ONCUE_DATA",
        description="Folder for all that is kept.",
    )
    public_url: str = Field(
        "",
        alias="ONCUE_PUBLIC_URL",
        description="How others reach this: the beginning of hook and callback URLs; "
        "by default where it listens.",
    )
    allow_networks: Networks = Field(
        (),
        alias="ONCUE_ALLOW_NETWORKS",
        description="Private networks that outgoing calls may reach, such as 127.0.0.0/8.",
    )
    max_event_bytes: int = Field(
        256 << 10, alias="ONCUE_MAX_EVENT_BYTES", ge=1, description="Size that an event may have."
    )
    max_batch_events: int = Field(
        100, alias="ONCUE_MAX_BATCH_EVENTS", ge=1, le=10_000, description="Events in one batch."
    )
    dedupe_window: DurationMs = Field(
        7 * 86_400_000,
        alias="ONCUE_DEDUPE_WINDOW",
        description="How long the repeat of an event is known as one.",
    )
    max_keys_per_account: int = Field(
        2_000_000,
        alias="ONCUE_MAX_KEYS_PER_ACCOUNT",
        ge=1,
        description="Keys that the patterns of an account may remember together.",
    )
    query_timeout: DurationMs = Field(
        10_000,
        alias="ONCUE_QUERY_TIMEOUT",
        description="How long a query over events may take; then it is killed. An account may "
        "have bounds of its own.",
    )
    query_memory_mb: int = Field(
        512,
        alias="ONCUE_QUERY_MEMORY_MB",
        ge=MIN_QUERY_MEMORY_MB,
        le=MAX_QUERY_MEMORY_MB,
        description="Memory of a query over events, in MiB.",
    )
    query_max_bytes: int = Field(
        16 << 20,
        alias="ONCUE_QUERY_MAX_BYTES",
        ge=MIN_QUERY_BYTES,
        le=MAX_QUERY_BYTES,
        description="Bytes of the rows that a query answers with.",
    )
    event_retention_days: int = Field(
        90,
        alias="EVENT_RETENTION_DAYS",
        ge=1,
        description="How long events are kept; files of the archive are deleted as a whole, a tenth of that later at most.",
    )
    execution_retention_days: int = Field(
        90,
        alias="ONCUE_EXECUTION_RETENTION_DAYS",
        ge=1,
        description="How long executions that ended, their audit and closed dead letters are kept.",
    )
    archive_url: ArchiveUrl = Field(
        "",
        alias="ONCUE_ARCHIVE_URL",
        description="Where the archive of events lies: a folder, or s3://bucket/prefix in the S3 of "
        "ONCUE_S3_ENDPOINT; by default `archive` in the data folder.",
    )
    webhook_secret: str = Field(
        "",
        alias="WEBHOOK_SECRET",
        description="Signs outgoing webhooks, and verifies those of hooks that have no secret of their own.",
    )
    ai_base_url: str = Field(
        "",
        alias="ONCUE_AI_BASE_URL",
        description="An endpoint that speaks OpenAI's chat completions, without /v1.",
    )
    ai_api_key: str = Field("", alias="ONCUE_AI_API_KEY", description="Its key, if it wants one.")
    ai_model: str = Field("", alias="ONCUE_AI_MODEL", description="The model to ask by default.")
    email_from: str = Field(
        "", alias="ONCUE_EMAIL_FROM", description="Sender of e-mails that name none."
    )
    resend_base_url: str = Field(
        "https://api.resend.com", alias="ONCUE_RESEND_BASE_URL", description="Endpoint of Resend."
    )
    smtp_url: str = Field(
        "",
        alias="ONCUE_SMTP_URL",
        description="Mail server for e-mail without Resend: smtp[s]://user:password@host:port.",
    )
    sms_from: str = Field(
        "",
        alias="ONCUE_SMS_FROM",
        description="Sender of text messages that name none: a number, or a messaging service.",
    )
    twilio_base_url: str = Field(
        "https://api.twilio.com", alias="ONCUE_TWILIO_BASE_URL", description="Endpoint of Twilio."
    )
    slack_base_url: str = Field(
        "",
        alias="ONCUE_SLACK_BASE_URL",
        description="Replaces the origin of SLACK_WEBHOOK_URL, and https://slack.com for bots.",
    )
    hubspot_base_url: str = Field(
        "https://api.hubapi.com",
        alias="ONCUE_HUBSPOT_BASE_URL",
        description="Endpoint of HubSpot.",
    )
    hubspot_api_version: str = Field(
        "v3",
        alias="ONCUE_HUBSPOT_API_VERSION",
        pattern=r"^(v\d+|\d{4}-\d{2})$",
        description="Version of HubSpot's API: v3, or a date such as 2026-03.",
    )

    s3_endpoint: str = Field(
        "",
        alias="ONCUE_S3_ENDPOINT",
        description="An S3 for objects, such as https://<account>.r2.cloudflarestorage.com.",
    )
    s3_bucket: str = Field("", alias="ONCUE_S3_BUCKET", description="The bucket by default.")
    s3_region: str = Field("auto", alias="ONCUE_S3_REGION", description="Its region.")
    s3_access_key_id: str = Field("", alias="ONCUE_S3_ACCESS_KEY_ID", description="Key of the S3.")
    s3_secret_access_key: str = Field(
        "", alias="ONCUE_S3_SECRET_ACCESS_KEY", description="The secret of that key."
    )
    linear_base_url: str = Field(
        "https://api.linear.app", alias="ONCUE_LINEAR_BASE_URL", description="Endpoint of Linear."
    )

    google_base_url: str = Field(
        "https://www.googleapis.com",
        alias="ONCUE_GOOGLE_BASE_URL",
        description="Endpoint of Google's APIs.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the file in the folder that those two name."""
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = {
            name: value
            for name, value in env_settings.env_vars.items()
            if value is None or not value.startswith(_INJECTED_VALUE)
        }
        given = {**env_settings(), **init_settings()}
        data = Path(given.get("data") or given.get(_DATA) or _default_data())
        known = {name: value for name, value in _read(data).items() if name in _names_in_file()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, known)

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Self:
        """Return these values by their names in the environment, unchecked, and else the defaults."""
        return cls.model_construct(None, **values)

    def credentials(self, integration: str) -> Mapping[str, str]:
        """Return what an integration needs; empty where nothing is set."""
        return {name: value for name, value in self._vendor(integration).items() if value}

    def _vendor(self, integration: str) -> Mapping[str, str]:
        match integration:
            case "email":
                return {
                    "api_key": self.resend_api_key,
                    "base_url": self.resend_base_url,
                    "smtp_url": self.smtp_url,
                    "from": self.email_from,
                }
            case "twilio":
                return {
                    "account_sid": self.twilio_account_sid,
                    "auth_token": self.twilio_auth_token,
                    "base_url": self.twilio_base_url,
                    "from": self.sms_from,
                }
            case "slack":
                return {
                    "webhook_url": self._slack_url(),
                    "bot_token": self.slack_bot_token,
                    "base_url": self.slack_base_url or "https://slack.com",
                }
            case "webhook":
                return {"secret": self.webhook_secret}
            case "ai":
                return {
                    "base_url": self.ai_base_url,
                    "api_key": self.ai_api_key,
                    "model": self.ai_model,
                }
            case "r2":
                return {
                    "endpoint": self.s3_endpoint,
                    "bucket": self.s3_bucket,
                    "region": self.s3_region,
                    "access_key": self.s3_access_key_id,
                    "secret_key": self.s3_secret_access_key,
                }
            case "linear":
                return {"api_key": self.linear_api_key, "base_url": self.linear_base_url}
            case "google_calendar":
                return {"token": self.google_calendar_token, "base_url": self.google_base_url}
            case "hubspot":
                return {
                    "api_key": self.hubspot_api_key,
                    "base_url": self.hubspot_base_url,
                    "api_version": self.hubspot_api_version,
                }
        return {}

    def _slack_url(self) -> str:
        if not (self.slack_base_url and self.slack_webhook_url):
            return self.slack_webhook_url
        path = self.slack_webhook_url.split("://", 1)[-1].partition("/")[2]
        return f"{self.slack_base_url.rstrip('/')}/{path}"


def load_settings(flags: Mapping[str, object]) -> Settings:
    """
    Return the settings in force; `flags` are by field name, None where not given.

    Raises:
        InvalidInput: values that their settings do not take, or a file that cannot be read.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type] # pydantic checks them
    except ValidationError as exc:
        places = {str(detail["loc"][0]): None for detail in exc.errors()}
        raise InvalidInput(problems_of(exc, places)) from exc


def unknown_settings(environment: Iterable[str], data: Path) -> list[str]:
    """Return a warning for each name that means nothing, with the nearest one that does."""
    variables = [
        f"unknown setting {name}{nearest(name, _names())}"
        for name in environment
        if name.startswith("ONCUE_") and name not in _names() and not name.startswith(_INJECTED)
    ]
    return variables + [
        f"{name} means nothing in {data / CONFIG}, which lies in that folder"
        if name == _DATA
        else f"unknown setting {name} in {data / CONFIG}{nearest(name, _names_in_file())}"
        for name in _read(data)
        if name not in _names_in_file()
    ]


def _names() -> set[str]:
    return {str(field.alias) for field in Settings.model_fields.values()}


def _names_in_file() -> set[str]:
    return _names() - {_DATA}


def _read(data: Path) -> Mapping[str, object]:
    path = data / CONFIG
    try:
        return tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as exc:
        raise InvalidInput([Problem(str(path), f"expected a file of TOML: {exc}")]) from exc
