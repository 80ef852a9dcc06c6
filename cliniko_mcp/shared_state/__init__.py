"""What several processes share: in Redis or Valkey, or in a file on one machine; nothing of a patient.

The only folder that speaks to Redis, Postgres or, the demo clinic apart, SQLite. It knows nothing of what it keeps.
"""
