"""HTTP: what Slack calls, installation by OAuth, health and metrics."""
