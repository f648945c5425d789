-- Roles with least rights. Made by an administrator; passwords and authentication are the installation's.
--   saatto_owner     owns every table; nobody logs in as it
--   saatto_core      the broker's core: commits batches
--   saatto_deploy    `saatto flow deploy`, `org key`: configuration
--   saatto_read      command line, console, audit: reads skeletons, never contents' keys
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saatto_owner') THEN CREATE ROLE saatto_owner NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saatto_core') THEN CREATE ROLE saatto_core LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saatto_deploy') THEN CREATE ROLE saatto_deploy LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saatto_read') THEN CREATE ROLE saatto_read LOGIN; END IF;
END $$;
DO $$
DECLARE t regclass; f regprocedure;
BEGIN
  FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_version' LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO saatto_owner', t);
  END LOOP;
  FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO saatto_owner', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION guard, one_for_each TO saatto_core;
GRANT SELECT, INSERT ON event, ledger TO saatto_core;
GRANT SELECT, INSERT, UPDATE ON case_row, outbox_cursor, outbox_head, inbox_stream, mail_head, mail_in, core TO saatto_core;
GRANT SELECT, INSERT ON dead TO saatto_core;
GRANT UPDATE (redriven) ON dead TO saatto_core;
GRANT SELECT, INSERT, DELETE ON outbox, mail TO saatto_core;
GRANT SELECT ON shard, installation TO saatto_core;
GRANT UPDATE (core, epoch) ON shard TO saatto_core;
GRANT UPDATE (clock) ON installation TO saatto_core;
GRANT DELETE ON core TO saatto_core;
GRANT SELECT ON network_file, network_deployed, workflow_version, org_key TO saatto_core;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO saatto_deploy;
GRANT INSERT ON network_file, network_deployed, workflow_version, org_key TO saatto_deploy;
GRANT UPDATE (retired) ON workflow_version TO saatto_deploy;
GRANT UPDATE (revoked_at) ON org_key TO saatto_deploy;
GRANT UPDATE (config) ON shard TO saatto_deploy;
GRANT UPDATE (network) ON installation TO saatto_deploy;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO saatto_read;
ALTER ROLE saatto_read SET statement_timeout = '2s';
-- Plans made on an empty table must hold on a full one.
ALTER ROLE saatto_core SET enable_seqscan = off;
ALTER ROLE saatto_core SET enable_hashjoin = off;
ALTER ROLE saatto_core SET enable_mergejoin = off;
ALTER ROLE saatto_core SET enable_bitmapscan = off;
ALTER ROLE saatto_core SET jit = off;
ALTER ROLE saatto_core SET plan_cache_mode = force_generic_plan;
ALTER ROLE saatto_core SET synchronous_commit = on;
ALTER ROLE saatto_core SET lock_timeout = '2s';
ALTER ROLE saatto_core SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE saatto_core SET statement_timeout = '10s';
