"""The list of all checks, in the order of the report."""

from api.doctor import activity, capacity, data_folder, environment, rights, server, tables
from api.doctor.diagnoses import Check, Needs

CHECKS = (
    Check("packages", Needs.SETTINGS, environment.packages),
    Check("settings", Needs.SETTINGS, environment.settings_fit),
    Check("network", Needs.SETTINGS, environment.network),
    Check("database URLs", Needs.SETTINGS, environment.database_urls),
    Check("encryption", Needs.SETTINGS, environment.database_encryption),
    Check("data folder", Needs.SETTINGS, data_folder.data_folder),
    Check("disk", Needs.SETTINGS, data_folder.disk),
    Check("server version", Needs.DATABASE, server.server_version),
    Check("encoding", Needs.DATABASE, server.encoding),
    Check("durability", Needs.DATABASE, server.durability),
    Check("autovacuum", Needs.DATABASE, server.autovacuum),
    Check("time zone", Needs.DATABASE, server.time_zone),
    Check("connections", Needs.DATABASE, capacity.connections),
    Check("memory", Needs.DATABASE, capacity.memory),
    Check("deadlines", Needs.DATABASE, capacity.deadlines),
    Check("writing", Needs.DATABASE, rights.writable),
    Check("schema rights", Needs.DATABASE, rights.schema_rights),
    Check("table rights", Needs.DATABASE, rights.table_rights),
    Check("statistics", Needs.DATABASE, tables.statistics),
    Check("indexes", Needs.DATABASE, tables.indexes),
    Check("transaction ids", Needs.DATABASE, tables.transaction_ids),
    Check("size", Needs.DATABASE, tables.size),
    Check("transactions", Needs.DATABASE, activity.long_transactions),
    Check("locks", Needs.DATABASE, activity.waiting_locks),
    Check("revision", Needs.DATABASE, tables.revision),
    Check("accord", Needs.TABLES, tables.accord),
    Check("credentials", Needs.TABLES, activity.credentials),
    Check("jobs", Needs.TABLES, activity.jobs),
    Check("clock", Needs.TABLES, activity.clock),
)

REVISION = "revision"
"""The check that says whether the tables are there as the checks of `Needs.TABLES` read them."""
