"""The Orion sample platform. Kept empty: the health check imports this package on every run."""
