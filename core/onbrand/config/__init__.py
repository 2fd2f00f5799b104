"""Configuration: the settings for a file from ``onbrand.toml`` and ``[tool.onbrand]``.

Configuration files are looked for from the folder of the file upwards; ``root = true`` ends the
search. For each key the nearest file that sets it wins. Inside one file the last ``[[paths]]``
table whose glob matches wins over the keys at the top.
"""

from onbrand.config.load import Config, ConfigCache, find_config, load_config
from onbrand.config.settings import Setting, Settings, explain, settings_for

__all__ = [
    "Config",
    "ConfigCache",
    "Setting",
    "Settings",
    "explain",
    "find_config",
    "load_config",
    "settings_for",
]
