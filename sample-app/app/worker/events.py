"""Event dispatcher of the worker that does not block while its broker is unavailable.

Celery sends the worker's heartbeat from its event loop and retries without a limit. Until the broker is back, the loop
does nothing else: the worker neither reconnects nor ends on SIGTERM.
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
