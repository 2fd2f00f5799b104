"""The onbrand language server: off-brand sentences underlined in every editor."""
