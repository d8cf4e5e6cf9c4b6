"""What is wrong with a set-up, and what to do about it: `accord doctor`.

Each check is a function that looks at one thing and returns a `Diagnosis`. `all_checks.CHECKS` lists them: a new check
is one function and one line there. A check reads, in a snapshot of its own with short deadlines, and shows no secret.

    diagnoses.py    what a check returns, what it is given, and what it needs
    environment.py  packages, settings and the network
    data_folder.py  the folder of the private database, and its disk
    server.py       the PostgreSQL server and its parameters
    capacity.py     connections, memory and deadlines that the server gives Accord
    rights.py       what the role of the database may do
    tables.py       the revision, statistics, indexes and age of the tables
    activity.py     transactions, locks, jobs and clocks at the moment
    all_checks.py   the list
    examine.py      making the checks, whatever can be reached
"""

from api.doctor.diagnoses import Diagnosis, Report, Result, Severity
from api.doctor.examine import examine

__all__ = ["Diagnosis", "Report", "Result", "Severity", "examine"]
