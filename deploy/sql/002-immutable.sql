-- Audit tables know no update, delete or truncate: resistance, not evidence (a superuser passes it).
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is not allowed: the audit trail only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
CREATE TRIGGER event_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER workflow_version_kept BEFORE DELETE OR TRUNCATE ON workflow_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER network_file_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON network_file FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
