"""A generated streaming business with a past: dated subscriptions, logins, viewing and payments, whose true churn is known."""
