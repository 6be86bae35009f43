"""Living with a model: whether customers still look as they did when it was made, and how good it is while nobody knows the outcomes."""
