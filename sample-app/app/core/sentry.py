"""Error tracking, only when `SENTRY_DSN` is set."""

from app.core.config import AppSettings, settings


def start_sentry() -> None:
    """Start the Sentry client for this process, or do nothing without a DSN."""
    config = settings(AppSettings)
    if config.sentry_dsn is None:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=config.sentry_dsn.get_secret_value(),
        environment=config.environment,
        release=config.app_version,
        server_name=config.instance_name,
        send_default_pii=False,
        # Local variables of a frame may be connection strings or tokens.
        include_local_variables=False,
    )
