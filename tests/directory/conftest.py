"""The clinics of a server in a file and in Postgres."""

from tests.postgres import postgres as postgres
