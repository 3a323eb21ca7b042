"""What workers run. Pure: no loop, no database, no settings."""
