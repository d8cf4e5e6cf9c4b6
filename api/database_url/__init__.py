"""`DATABASE_URL`: a connection URL of PostgreSQL, read as libpq reads it, with the files and variables it refers to.

Whatever connects takes its hosts, credentials and parameters from here, so that all connect in the same way. A
parameter that cannot be honoured is an error, or a warning where its absence does no harm.

    uri_syntax.py       the text of a URL, as parameters
    service_files.py    the parameters that a service file has under a name
    vocabulary.py       which parameters there are, and what becomes of them
    server_options.py   the settings of the server in `options`
    database_url.py     the result: hosts, credentials, parameters, warnings
"""

from api.database_url.database_url import DatabaseUrl, Host, parse_database_url, shown_url
from api.database_url.uri_syntax import with_parameter
from api.database_url.vocabulary import ENVIRONMENT_VARIABLES

__all__ = ["ENVIRONMENT_VARIABLES", "DatabaseUrl", "Host", "parse_database_url", "shown_url", "with_parameter"]
