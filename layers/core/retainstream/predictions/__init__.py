"""Features → probability → reasons → action → value: one implementation for a row, a hundred, or a shard of the base."""
