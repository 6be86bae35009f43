"""Model versions, the one in service, and the feature schema in force."""
