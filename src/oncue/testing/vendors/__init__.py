"""
Vendors that are none: HTTP servers on the loopback that answer as the real ones do.

    async with Simulators() as vendors:
        vendors.resend.answer_next(Refused.RATE_LIMITED, Slow(200), LOSE_ANSWER)
        vendors.slack.faults = Faults(0.2, "seed")
        ...
        assert len(vendors.resend.effects) == 1

`calls` are all requests that came, `effects` what they brought about: a repeat
with the same idempotency key is a second call and no second effect.
"""

from oncue.testing.vendors.google_calendar import GoogleCalendarSimulator
from oncue.testing.vendors.http import AcceptingSimulator, HttpSimulator
from oncue.testing.vendors.hubspot import HubSpotSimulator
from oncue.testing.vendors.linear import LinearSimulator
from oncue.testing.vendors.model import ModelSimulator
from oncue.testing.vendors.orders import (
    DROP,
    LOSE_ANSWER,
    Faults,
    Fixed,
    Held,
    OnOrder,
    Refused,
    Slow,
)
from oncue.testing.vendors.resend import ResendSimulator
from oncue.testing.vendors.s3 import S3Simulator
from oncue.testing.vendors.simulator import ReceivedCall, Simulator
from oncue.testing.vendors.simulators import Simulators
from oncue.testing.vendors.slack import SlackSimulator
from oncue.testing.vendors.smtp import ReceivedMail, Refusal, SmtpSimulator
from oncue.testing.vendors.twilio import TwilioSimulator

__all__ = [
    "DROP",
    "LOSE_ANSWER",
    "AcceptingSimulator",
    "Faults",
    "Fixed",
    "GoogleCalendarSimulator",
    "Held",
    "HttpSimulator",
    "HubSpotSimulator",
    "LinearSimulator",
    "ModelSimulator",
    "OnOrder",
    "ReceivedCall",
    "ReceivedMail",
    "Refusal",
    "Refused",
    "ResendSimulator",
    "S3Simulator",
    "Simulator",
    "Simulators",
    "SlackSimulator",
    "Slow",
    "SmtpSimulator",
    "TwilioSimulator",
]
