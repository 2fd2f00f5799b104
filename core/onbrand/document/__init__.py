"""Source files to sentences with exact places, and lines and columns back."""
