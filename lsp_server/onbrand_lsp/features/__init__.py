"""What the editor shows, a module for each request of the protocol."""
