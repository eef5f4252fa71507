"""Shared by all processes: configuration, connections, logging."""
