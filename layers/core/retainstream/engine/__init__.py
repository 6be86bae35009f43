"""The churn engine: numpy and files. It knows no AWS, no HTTP and no settings."""
