"""The background tasks, one module per kind of work. Their names and queues are listed in `app.celery`."""
