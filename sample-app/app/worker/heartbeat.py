"""Heartbeat file that shows that the worker's event loop runs and is connected to the broker.

The file is touched from the consumer's own timer. The timer exists only while the consumer is connected, so the file
grows old when the broker is lost, when the loop hangs, and when the process has ended.
"""

from celery import bootsteps
from celery.worker.consumer import Consumer

from app.core.paths import HEARTBEAT_SECONDS, WORKER_HEARTBEAT, beat_heart


class Heartbeat(bootsteps.StartStopStep):
    """A step of the consumer that starts after it has subscribed to its queues."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Consumer, **options: object) -> None:
        super().__init__(parent, **options)
        self._timer = None

    def start(self, parent: Consumer) -> None:
        """Touch the file now and then every few seconds."""
        beat_heart(WORKER_HEARTBEAT)
        self._timer = parent.timer.call_repeatedly(HEARTBEAT_SECONDS, beat_heart, (WORKER_HEARTBEAT,))

    def stop(self, parent: Consumer) -> None:
        """End with the connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    shutdown = stop
