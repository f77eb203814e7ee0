"""Any HTTP API: takes every request, and shows it in the answer."""

from oncue.core.json_text import Json
from oncue.testing.vendors.orders import Fixed
from oncue.testing.vendors.simulator import ReceivedCall, Simulator


class HttpSimulator(Simulator):
    """A request with an idempotency key takes effect once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def answer(self, call: ReceivedCall) -> Fixed:
        """Return the request."""
        shown: dict[str, Json] = {
            "method": call.method,
            "path": call.path,
            "headers": {**call.headers},
            "body": call.body,
        }
        key = call.idempotency_key
        if key is None or key not in self._seen:
            self.effects.append(shown)
        if key is not None:
            self._seen.add(key)
        return Fixed(200, shown)


class AcceptingSimulator(Simulator):
    """Some API or receiver of which no more is known than that it says yes."""

    def answer(self, call: ReceivedCall) -> Fixed:
        """Return an empty object."""
        self.effects.append({"method": call.method, "path": call.path, "body": call.body})
        return Fixed(200, {})
