"""The worker's events, as Flower shows them, without waiting for a broker that does not answer.

Celery sends the worker's heartbeat from its event loop and tries again for as long as it takes. Until the broker is
back, the loop then does nothing else: the worker does not connect anew, and does not end when it is told to.
"""

from celery.app.events import Events as StandardEvents
from celery.events.dispatcher import EventDispatcher


class Dispatcher(EventDispatcher):
    """Tries once; events that could not be sent are sent with the next connection."""

    def send(self, type: str, *arguments: object, **options: object) -> object:
        """Send an event, or keep it for the next connection."""
        return super().send(type, *arguments, **options | {"retry": False})


class Events(StandardEvents):
    """Celery's events step with the dispatcher above."""

    dispatcher_cls = "app.worker.events:Dispatcher"
