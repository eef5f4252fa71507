"""Business logic of routes and tasks, independent of HTTP and Celery."""
