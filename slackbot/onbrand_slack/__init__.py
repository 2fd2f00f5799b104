"""The Slack app: drafts scored where the team talks, doubtful ones sent to human review."""
