"""The settings of a process: the data folder, the database and the address. They are read once, at the edge.

settings.py   every variable, with its default and its description
groups.py     groups of settings that are handed on together, such as the sizes of the lanes
"""

from api.settings.groups import REQUEST_SECONDS, KeptLimits, LaneSizes, OidcSettings
from api.settings.settings import LogFormat, LogLevel, Settings

__all__ = ["REQUEST_SECONDS", "KeptLimits", "LaneSizes", "LogFormat", "LogLevel", "OidcSettings", "Settings"]
