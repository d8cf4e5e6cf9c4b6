"""Backups: one file with a dump of the database, its checksum and its revision.

backup_file.py      the file: a tar archive of the dump and a manifest, written whole or not at all
client_programs.py  pg_dump, pg_restore and psql: the ones that fit a server, and how they connect
take_backup.py      dump a database into a file
restore_backup.py   restore a file into a database, in one transaction
"""
