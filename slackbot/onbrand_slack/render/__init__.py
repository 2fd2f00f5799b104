"""Slack's JSON for everything that is shown: pure functions of `onbrand_slack.answer`'s types."""
