"""Which brand, voices and limits hold for a file: ``onbrand.toml`` and ``[tool.onbrand]``.

Every file on the way up from the checked one may set keys. For each key the nearest file that
says something wins; ``root = true`` ends the search. Inside one file the last ``[[paths]]`` table
whose glob matches beats the keys at the top.
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
