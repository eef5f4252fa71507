"""The Orion sample platform."""
