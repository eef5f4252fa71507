"""What the routes and the tasks do, free of HTTP and of Celery."""
