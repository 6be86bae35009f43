"""Whether anything that is locked has a known weakness: looked up where a service answers, and in our own list in any case."""
