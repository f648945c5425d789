-- Key database: another database than the data's, so that dumps of one do not open the other.
-- A core takes ready keys by the thousand; a case names its key; erasure deletes the row.
CREATE TABLE dek (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key bytea NOT NULL CHECK (length(key) = 32), taken_by int8, taken_at timestamptz);
CREATE INDEX dek_free ON dek (id) WHERE taken_by IS NULL;
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saatto_core') THEN CREATE ROLE saatto_core LOGIN; END IF;
END $$;
REVOKE ALL ON dek FROM PUBLIC;
GRANT SELECT, INSERT ON dek TO saatto_core;
GRANT UPDATE (taken_by, taken_at) ON dek TO saatto_core;
