"""How the server listens and stops.

listening.py  the socket: bound here, shared with other processes, or passed by the supervisor
stopping.py   the end: finish what was accepted, refuse nobody, and be gone within a stated time
"""

AFTER_GRACE_SECONDS = 25.0
"""How long a stop may take after the grace period of requests: to close the database, and to stop a private one."""
