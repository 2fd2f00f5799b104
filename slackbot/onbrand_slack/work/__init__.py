"""Work on jobs: handlers run in threads of our own, one poster carries their calls to Slack."""
