"""What each integration needs of an account, and how to ask its vendor whether that is right."""

from oncue.actions.integrations.business import GOOGLE_CALENDAR, HUBSPOT, LINEAR
from oncue.actions.integrations.machines import AI, DATABASE, OBJECTS, WEBHOOK
from oncue.actions.integrations.messaging import EMAIL, SLACK, TWILIO
from oncue.actions.notification import APPRISE
from oncue.core.integration import Integration

INTEGRATIONS: tuple[Integration, ...] = (
    EMAIL,
    TWILIO,
    SLACK,
    APPRISE,
    HUBSPOT,
    LINEAR,
    GOOGLE_CALENDAR,
    DATABASE,
    OBJECTS,
    WEBHOOK,
    AI,
)
