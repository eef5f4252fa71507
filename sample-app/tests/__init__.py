"""Tests against a real PostgreSQL and a real Redis, which they start themselves."""
