"""The actions library: one module for each integration."""

from oncue.actions.ai import AI_ACTIONS
from oncue.actions.data import TRANSFORM_DATA, VALIDATE_DATA
from oncue.actions.database import DB_EXECUTE, DB_QUERY
from oncue.actions.email import SEND_EMAIL
from oncue.actions.google_calendar import SCHEDULE_MEETING
from oncue.actions.http import HTTP_REQUEST
from oncue.actions.hubspot import CREATE_CRM_RECORD, UPDATE_CRM_RECORD
from oncue.actions.kv import KV_ACTIONS
from oncue.actions.linear import CREATE_TICKET
from oncue.actions.log_event import EMIT_EVENT, LOG_EVENT
from oncue.actions.notification import SEND_NOTIFICATION
from oncue.actions.query_events import QUERY_EVENTS
from oncue.actions.r2 import R2_GET, R2_PUT
from oncue.actions.slack import SEND_SLACK_MESSAGE
from oncue.actions.twilio import SEND_SMS
from oncue.actions.webhook import CALL_WEBHOOK, SEND_WEBHOOK
from oncue.core.action import AnyAction

ACTIONS: tuple[AnyAction, ...] = (
    SEND_EMAIL,
    SEND_SMS,
    SEND_SLACK_MESSAGE,
    SEND_NOTIFICATION,
    SEND_WEBHOOK,
    HTTP_REQUEST,
    CALL_WEBHOOK,
    CREATE_CRM_RECORD,
    UPDATE_CRM_RECORD,
    CREATE_TICKET,
    SCHEDULE_MEETING,
    TRANSFORM_DATA,
    VALIDATE_DATA,
    DB_QUERY,
    DB_EXECUTE,
    *KV_ACTIONS,
    R2_PUT,
    R2_GET,
    LOG_EVENT,
    EMIT_EVENT,
    QUERY_EVENTS,
    *AI_ACTIONS,
)
