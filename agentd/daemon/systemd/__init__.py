"""What the daemon and its service manager tell each other, where there is one."""
