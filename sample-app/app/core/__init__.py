"""What every process shares: configuration, connections, logging."""
