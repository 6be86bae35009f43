"""From a row to its churn probability, the reasons for it and the action."""
