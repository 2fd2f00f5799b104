"""What comes in: requests of Slack's, read, checked, and told whose they are."""
