"""The Orion sample platform. This file stays empty, because every run of the health check imports it."""
