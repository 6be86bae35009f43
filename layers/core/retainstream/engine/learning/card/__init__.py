"""The model card: what a version is, how good it is and for what it is meant, as data and as a page."""
