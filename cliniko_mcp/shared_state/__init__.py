"""What several replicas share, in Redis or Valkey: nothing of a patient, and nothing readable without the keys.

The only folder that speaks to Redis or Postgres. It knows nothing of what it keeps.
"""
