"""What the daemon says about itself: log lines, figures, and the lag of its loop."""
