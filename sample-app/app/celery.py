"""The Celery application with its tasks, queues and schedule: `celery -A app.celery worker|beat|flower|...`."""

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, setup_logging, worker_init, worker_process_init
from kombu import Exchange, Queue

from app.core.config import BrokerSettings, LogSettings, load_all, settings
from app.core.logging import configure_logging
from app.core.paths import BEAT_SCHEDULE, RUN_DIR

QUEUES = ("default", "imports", "emails", "reports")

TASK_QUEUES = {
    "app.tasks.import_letzshop_products": "imports",
    "app.tasks.import_letzshop_orders": "imports",
    "app.tasks.send_order_confirmation": "emails",
    "app.tasks.send_password_reset": "emails",
    "app.tasks.send_invoice_email": "emails",
    "app.tasks.generate_sales_report": "reports",
    "app.tasks.cleanup_expired_sessions": "default",
    "app.tasks.sync_stripe_subscriptions": "default",
    "app.tasks.sweep_outbox": "default",
}

# Wall-clock times rather than intervals where the period is long: a restart of Beat does not push them back.
SCHEDULE = {
    "cleanup-expired-sessions": {
        "task": "app.tasks.cleanup_expired_sessions",
        "schedule": crontab(minute="7"),
        "options": {"expires": 3600},
    },
    "sync-stripe-subscriptions": {
        "task": "app.tasks.sync_stripe_subscriptions",
        "schedule": crontab(minute="23", hour="*/6"),
        "options": {"expires": 6 * 3600},
    },
    # Expires before the next one is due, so an outage of the workers leaves no pile of sweeps.
    "sweep-outbox": {
        "task": "app.tasks.sweep_outbox",
        "schedule": 30.0,
        "options": {"expires": 25, "ignore_result": True},
    },
}


def _transport_options(config: BrokerSettings) -> dict[str, object]:
    options: dict[str, object] = {
        "visibility_timeout": config.celery_visibility_timeout,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 15,
        # No `retry_on_timeout`: with it redis-py (8.1) opens a worker's lost connection for broadcasts again without
        # kombu (5.7), which therefore does not subscribe. The worker waits for a message there and takes no task.
        # Without these, publishing waits for a missing broker forever. They do not limit how long a worker reconnects.
        "max_retries": 2,
        "interval_start": 0.1,
        "interval_step": 0.2,
        "interval_max": 0.5,
        "retry_policy": {"timeout": 5.0, "max_retries": 5, "interval_start": 0, "interval_max": 1},
    }
    if config.celery_sentinel_master:
        options["master_name"] = config.celery_sentinel_master
    if config.celery_sentinel_password:
        password = config.celery_sentinel_password.get_secret_value()
        options["sentinel_kwargs"] = {"password": password, "socket_timeout": 2, "socket_connect_timeout": 2}
    return options


def create_celery(config: BrokerSettings) -> Celery:
    """Create the application. Opens no connection."""
    application = Celery(
        "orion",
        broker=config.celery_broker_url,
        backend=config.result_url,
        events="app.worker.events:Events",
        include=["app.tasks.emails", "app.tasks.imports", "app.tasks.maintenance", "app.tasks.reports"],
    )
    transport_options = _transport_options(config)
    application.conf.update(
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        task_routes={task: {"queue": queue} for task, queue in TASK_QUEUES.items()},
        task_default_queue="default",
        # A misspelt queue is an error instead of a place where tasks wait unseen.
        task_create_missing_queues=False,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        timezone="UTC",
        # A task is acknowledged after it has ended, so a task whose worker died is run again.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        task_time_limit=config.celery_task_time_limit,
        task_soft_time_limit=config.celery_task_time_limit - 5,
        task_track_started=True,
        task_send_sent_event=True,
        worker_send_task_events=True,
        worker_max_tasks_per_child=1000,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        broker_transport_options=transport_options,
        visibility_timeout=config.celery_visibility_timeout,
        result_expires=24 * 3600,
        result_backend_transport_options=transport_options,
        redis_socket_timeout=10,
        redis_socket_connect_timeout=5,
        redis_socket_keepalive=True,
        redis_retry_on_timeout=True,
        redis_backend_health_check_interval=15,
        beat_schedule=SCHEDULE,
        beat_schedule_filename=str(BEAT_SCHEDULE),
    )
    return application


def publish_quickly(application: Celery) -> None:
    """Give up on a missing broker after about two seconds. For the web process; call it before the first task."""
    application.conf.broker_connection_timeout = 1
    application.conf.broker_transport_options |= {
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        "max_retries": 1,
    }
    application.conf.redis_socket_timeout = 2
    application.conf.redis_socket_connect_timeout = 1
    application.conf.result_backend_transport_options |= {
        "retry_policy": {"timeout": 2.0, "max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    }


@setup_logging.connect
def _log_as_json(**_: object) -> None:
    configure_logging(settings(LogSettings).log_level)


@worker_init.connect
def _check_worker(**_: object) -> None:
    from app.core.sentry import start_sentry

    load_all()
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    start_sentry()


@beat_init.connect
def _check_beat(**_: object) -> None:
    RUN_DIR.mkdir(parents=True, exist_ok=True)


@worker_process_init.connect
def _leave_parents_connections(**_: object) -> None:
    from app.core.database import forget_connections

    forget_connections()


celery_app = create_celery(settings(BrokerSettings))
