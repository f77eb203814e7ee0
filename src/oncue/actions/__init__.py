"""The actions library: one file per integration."""

from oncue.actions.http import HTTP_REQUEST
from oncue.actions.hubspot import CREATE_CRM_RECORD
from oncue.actions.resend import SEND_EMAIL
from oncue.actions.slack import SEND_SLACK_MESSAGE
from oncue.core.action import AnyAction

ACTIONS: tuple[AnyAction, ...] = (
    HTTP_REQUEST,
    SEND_EMAIL,
    SEND_SLACK_MESSAGE,
    CREATE_CRM_RECORD,
)
