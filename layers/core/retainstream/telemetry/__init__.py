"""What a deployment tells of itself: log lines that can be followed from cause to effect, and metrics."""
