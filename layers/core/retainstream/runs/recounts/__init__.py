"""The run that counts the base again and repairs the counters."""
