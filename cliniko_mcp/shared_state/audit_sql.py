"""The tables of the audit log in Postgres, a chain of lines a clinic, and the one function that adds to them.

The lines are those of the file: each holds the digest of the one before, and its own at its end. Who may only execute
the function can add lines to the end of a chain, and change or remove none.
"""

from __future__ import annotations

from typing import Final

AUDIT_SCHEMA: Final = "cliniko_audit"
SERVER: Final = "_server"
"""The chain of a server for one clinic; no clinic's id begins so."""

TABLES: Final = f"""\
CREATE SCHEMA IF NOT EXISTS {AUDIT_SCHEMA};
REVOKE ALL ON SCHEMA {AUDIT_SCHEMA} FROM PUBLIC;
CREATE TABLE IF NOT EXISTS {AUDIT_SCHEMA}.audit_head (
  clinic text PRIMARY KEY CHECK (clinic ~ '^[a-z0-9_][a-z0-9-]*$' AND length(clinic) <= 63 OR clinic = '{SERVER}'),
  n bigint NOT NULL,
  seal text NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS {AUDIT_SCHEMA}.audit_line (
  clinic text NOT NULL,
  n bigint NOT NULL,
  written timestamptz NOT NULL DEFAULT clock_timestamp(),
  batch text NOT NULL,
  line text NOT NULL,
  PRIMARY KEY (clinic, n)
);
CREATE OR REPLACE FUNCTION {AUDIT_SCHEMA}.audit_append(of_clinic text, bodies text[], of_batch text, again boolean)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {AUDIT_SCHEMA}, pg_temp AS $$
DECLARE
  last_n bigint;
  last_seal text;
  kept bigint;
  body text;
  unsealed text;
BEGIN
  SELECT n, seal INTO last_n, last_seal FROM audit_head WHERE clinic = of_clinic FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_head VALUES (of_clinic, 0, repeat('0', 64)) ON CONFLICT DO NOTHING;
    SELECT n, seal INTO last_n, last_seal FROM audit_head WHERE clinic = of_clinic FOR UPDATE;
  END IF;
  IF again THEN
    SELECT max(n) INTO kept FROM audit_line
      WHERE clinic = of_clinic AND n > last_n - 100000 AND batch = of_batch;
    IF kept IS NOT NULL THEN
      RETURN kept;
    END IF;
  END IF;
  FOREACH body IN ARRAY bodies LOOP
    IF body COLLATE "C" !~ '^[{{]"[ -\\x7f]*[}}]$' OR body ~ '[{{,]"(n|before|seal)":'
      OR json_typeof(body::json) <> 'object' THEN
      RAISE EXCEPTION 'this is no entry of an audit log';
    END IF;
    last_n := last_n + 1;
    unsealed := '{{"n":' || last_n || ',' || substr(body, 2, length(body) - 2) || ',"before":"' || last_seal || '"';
    last_seal := encode(sha256(convert_to(unsealed || '}}', 'UTF8')), 'hex');
    INSERT INTO audit_line (clinic, n, batch, line)
      VALUES (of_clinic, last_n, of_batch, unsealed || ',"seal":"' || last_seal || '"}}');
  END LOOP;
  UPDATE audit_head SET n = last_n, seal = last_seal WHERE clinic = of_clinic;
  RETURN last_n;
END $$;
REVOKE ALL ON FUNCTION {AUDIT_SCHEMA}.audit_append FROM PUBLIC;
"""

APPEND: Final = f"SELECT {AUDIT_SCHEMA}.audit_append($1, $2, $3, $4)"
HEADS: Final = f"SELECT clinic, n, seal FROM {AUDIT_SCHEMA}.audit_head ORDER BY clinic"
HEAD: Final = f"SELECT n, seal FROM {AUDIT_SCHEMA}.audit_head WHERE clinic = $1"
LINES: Final = f"SELECT line FROM {AUDIT_SCHEMA}.audit_line WHERE clinic = $1 AND written >= $2 ORDER BY n"
MAY_CHANGE: Final = f"""\
SELECT what FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS what,
  unnest(ARRAY['{AUDIT_SCHEMA}.audit_head', '{AUDIT_SCHEMA}.audit_line']) AS kept
  WHERE has_table_privilege(kept, what)
UNION SELECT 'MEMBER OF THE OWNER' FROM pg_class AS found
  WHERE found.oid = '{AUDIT_SCHEMA}.audit_line'::regclass AND pg_has_role(found.relowner, 'MEMBER')
UNION SELECT 'CREATE' WHERE has_schema_privilege('{AUDIT_SCHEMA}', 'CREATE')
"""
"""What the role that asks may do besides adding to the end, a row each."""
MAY_APPEND: Final = f"""\
SELECT has_function_privilege('{AUDIT_SCHEMA}.audit_append(text, text[], text, boolean)', 'EXECUTE')
  AND has_table_privilege('{AUDIT_SCHEMA}.audit_head', 'SELECT')
  AND has_table_privilege('{AUDIT_SCHEMA}.audit_line', 'SELECT')
"""
LOCK_HEAD: Final = f"{HEAD} FOR UPDATE"
FIRST_SINCE: Final = f"SELECT min(n) FROM {AUDIT_SCHEMA}.audit_line WHERE clinic = $1 AND written >= $2"
LINE: Final = f"SELECT line FROM {AUDIT_SCHEMA}.audit_line WHERE clinic = $1 AND n = $2"
DROP: Final = f"DELETE FROM {AUDIT_SCHEMA}.audit_line WHERE clinic = $1 AND n <= $2"


def setup(role: str) -> str:
    """The statements that make the tables, and let this role add lines and read them, and nothing else.

    They may be run again, by the same owner.
    """
    name = '"' + role.replace('"', '""') + '"'
    return f"""\
{TABLES}REVOKE ALL ON ALL TABLES IN SCHEMA {AUDIT_SCHEMA} FROM {name};
REVOKE CREATE ON SCHEMA {AUDIT_SCHEMA} FROM {name};
GRANT USAGE ON SCHEMA {AUDIT_SCHEMA} TO {name};
GRANT SELECT ON {AUDIT_SCHEMA}.audit_head, {AUDIT_SCHEMA}.audit_line TO {name};
GRANT EXECUTE ON FUNCTION {AUDIT_SCHEMA}.audit_append TO {name};
"""
