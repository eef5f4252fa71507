"""Beat's scheduler with a heartbeat file for its health check."""

from celery.beat import PersistentScheduler

from app.core.paths import BEAT_HEARTBEAT, beat_heart


class HeartbeatScheduler(PersistentScheduler):
    """The standard scheduler, touching a file on every turn, which is at least every five seconds."""

    def tick(self, *args: object, **options: object) -> float:
        """Send what is due and return the seconds until the next turn."""
        pause = super().tick(*args, **options)
        beat_heart(BEAT_HEARTBEAT)
        return pause
