"""Parts that run inside the Celery worker and Beat."""
