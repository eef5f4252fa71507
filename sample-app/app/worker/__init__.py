"""Parts that run inside the Celery worker."""
