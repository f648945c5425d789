-- One administrative act: an organisation follows another. Both administrators proved their keys; each case that was re-pointed by
-- it stands below with the leaf of its own event.
CREATE TABLE succession (
  id uuid PRIMARY KEY, at timestamptz NOT NULL, written timestamptz NOT NULL DEFAULT now(),
  predecessor int4 NOT NULL, successor int4 NOT NULL, first_org int4 NOT NULL,
  first_key text NOT NULL REFERENCES org_key, second_key text NOT NULL REFERENCES org_key, reason text NOT NULL,
  CHECK (first_key <> second_key), CHECK (predecessor <> successor));
CREATE TABLE succession_case (
  act uuid NOT NULL REFERENCES succession, case_id uuid NOT NULL, leaf bytea NOT NULL, PRIMARY KEY (act, case_id, leaf));
CREATE TRIGGER succession_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON succession FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER succession_case_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON succession_case FOR EACH STATEMENT
  EXECUTE FUNCTION refuse_change();
ALTER TABLE succession OWNER TO saatto_owner;
ALTER TABLE succession_case OWNER TO saatto_owner;
REVOKE ALL ON succession, succession_case FROM PUBLIC;
GRANT SELECT, INSERT ON succession, succession_case TO saatto_deploy;
GRANT SELECT ON succession, succession_case TO saatto_read;
