"""Messages: streams, JSON-RPC, and the rules of the protocol. Nothing here knows of brands."""
