-- Saatto's tables. Every key leads with `shard`; one writer for each shard and epoch.
-- Applied in order and remembered with a checksum by `saatto db init|migrate` and `saatto dev`.
-- Owner is saatto_owner, a role that nobody logs in as; rights are in 003-roles.sql.

-- Changes only at takeover, deployment, restore: nothing hot is stored here.
CREATE TABLE shard (
  shard int2 PRIMARY KEY, core int8 NOT NULL DEFAULT 0, epoch int8 NOT NULL DEFAULT 0,
  config int8 NOT NULL DEFAULT 0, incarnation int4 NOT NULL DEFAULT 1);

-- The audit trail and the source of the state: folding the facts gives the stored state.
CREATE TABLE event (
  shard int2 NOT NULL, idx int8 NOT NULL, epoch int8 NOT NULL,
  case_id uuid NOT NULL, case_seq int4 NOT NULL,             -- 0: refused, no effect on a state
  kind int2 NOT NULL, ts timestamptz NOT NULL,
  org int4 NOT NULL, key bytea NOT NULL, stream int8 NOT NULL, seq int8 NOT NULL,
  msg_hash bytea NOT NULL, code int2 NOT NULL, answer text NOT NULL,
  fact bytea NOT NULL, ct bytea NOT NULL, dek int8 NOT NULL,
  evidence int2 NOT NULL, config_hash bytea NOT NULL, key_commitment bytea NOT NULL, leaf bytea NOT NULL,
  PRIMARY KEY (shard, idx));
-- A repeated message finds its answer here; the broker's own events have no stream.
CREATE INDEX event_inbox ON event (shard, org, stream, seq) WHERE org <> 0;
CREATE INDEX event_case ON event (shard, case_id, case_seq) WHERE case_seq > 0;

-- State of cases and of shared aggregates after their last event. No timestamp column has an index: that would make every update non-HOT.
CREATE TABLE case_row (
  shard int2 NOT NULL, case_id uuid NOT NULL, aggregate int2 NOT NULL,
  seq int4 NOT NULL, wake int4 NOT NULL, open boolean NOT NULL,
  holder_org int4 NOT NULL, holder_desk int4 NOT NULL,
  workflow bytea NOT NULL, workflow_id text NOT NULL, client uuid NOT NULL, once boolean NOT NULL,
  skeleton bytea NOT NULL, data_ct bytea NOT NULL, dek int8 NOT NULL,
  PRIMARY KEY (shard, case_id)) WITH (fillfactor = 70);
CREATE INDEX case_wake ON case_row (shard, wake) WHERE wake < 2147483647;
-- Over all shards: a client's cases stand in one, but only their cases' ids say which.
CREATE INDEX case_client ON case_row (client);

-- Change points of responsibility; a gap or an overlap cannot be expressed.
CREATE TABLE ledger (
  shard int2 NOT NULL, case_id uuid NOT NULL, n int4 NOT NULL CHECK (n >= 0), since timestamptz NOT NULL,
  org int4, desk int4, event_idx int8 NOT NULL, prev_since timestamptz,       -- org NULL: case closed
  open boolean GENERATED ALWAYS AS (org IS NOT NULL) STORED,
  prev_n int4 GENERATED ALWAYS AS (nullif(n, 0) - 1) STORED,
  prev_open boolean GENERATED ALWAYS AS (CASE WHEN n > 0 THEN true END) STORED,
  PRIMARY KEY (shard, case_id, n), UNIQUE (shard, case_id, n, since, open),
  CHECK ((n = 0) = (prev_since IS NULL)), CHECK (since > prev_since),
  FOREIGN KEY (shard, case_id, prev_n, prev_since, prev_open) REFERENCES ledger (shard, case_id, n, since, open));

CREATE TABLE outbox (
  shard int2 NOT NULL, org int4 NOT NULL, seq int8 NOT NULL, case_id uuid NOT NULL, kind int2 NOT NULL,
  categories int4 NOT NULL, purpose text NOT NULL, basis_id int4 NOT NULL, basis_ver int4 NOT NULL,
  ct bytea NOT NULL, dek int8 NOT NULL, queued timestamptz NOT NULL,
  PRIMARY KEY (shard, org, seq));
CREATE TABLE outbox_cursor (shard int2, org int4, acked int8 NOT NULL, PRIMARY KEY (shard, org)) WITH (fillfactor = 50);
-- Highest seq ever given, so that an emptied outbox goes on counting.
CREATE TABLE outbox_head (shard int2, org int4, last int8 NOT NULL, PRIMARY KEY (shard, org)) WITH (fillfactor = 50);
CREATE TABLE dead (
  shard int2 NOT NULL, org int4 NOT NULL, seq int8 NOT NULL, case_id uuid NOT NULL, kind int2 NOT NULL,
  categories int4 NOT NULL, purpose text NOT NULL, basis_id int4 NOT NULL, basis_ver int4 NOT NULL,
  ct bytea NOT NULL, dek int8 NOT NULL, queued timestamptz NOT NULL,
  why text NOT NULL, since timestamptz NOT NULL DEFAULT now(), redriven boolean NOT NULL DEFAULT false,
  PRIMARY KEY (shard, org, seq));

CREATE TABLE inbox_stream (shard int2, org int4, stream int8, last int8 NOT NULL, PRIMARY KEY (shard, org, stream)) WITH (fillfactor = 50);

CREATE TABLE mail (src int2, dst int2, seq int8, body bytea NOT NULL, PRIMARY KEY (src, dst, seq));
CREATE TABLE mail_head (src int2, dst int2, last int8 NOT NULL, PRIMARY KEY (src, dst)) WITH (fillfactor = 50);
CREATE TABLE mail_in (dst int2, src int2, upto int8 NOT NULL, PRIMARY KEY (dst, src)) WITH (fillfactor = 50);

-- One row: the installation. Manual clock only in development and demonstrations.
CREATE TABLE installation (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), network text NOT NULL DEFAULT '', shards int2 NOT NULL,
  manual_clock boolean NOT NULL DEFAULT false, clock timestamptz);

CREATE TABLE core (id int8 PRIMARY KEY, alive_at timestamptz NOT NULL, host text NOT NULL);

-- Configuration: network files of each version, immutable workflow versions, keys. A change raises shard.config in the same transaction.
CREATE TABLE network_file (network text, version int8, name text, body bytea NOT NULL, PRIMARY KEY (network, version, name));
CREATE TABLE network_deployed (config int8 PRIMARY KEY, network text NOT NULL, version int8 NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE workflow_version (
  hash bytea PRIMARY KEY, id text NOT NULL, version int4 NOT NULL, cfg bytea NOT NULL, texts bytea NOT NULL,
  config int8 NOT NULL, at timestamptz NOT NULL DEFAULT now(), retired boolean NOT NULL DEFAULT false, UNIQUE (id, version));
CREATE TABLE org_key (
  public_key text PRIMARY KEY CHECK (length(public_key) = 40), org int4 NOT NULL, org_id text NOT NULL, operator boolean NOT NULL DEFAULT false,
  config int8 NOT NULL, at timestamptz NOT NULL DEFAULT now(), revoked_at timestamptz);

-- A stale owner's batch must fail, not report a row count after COMMIT was sent: the guard locks and raises.
-- `me` costs nothing and closes a gap: a core that learnt another core's epoch still writes nothing under it.
CREATE FUNCTION guard(s int2[], e int8[], cfg int8, me int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE miss text;
BEGIN
  WITH want AS (SELECT * FROM unnest(s, e) AS t(shard, epoch)),
       held AS MATERIALIZED (SELECT h.shard FROM shard h JOIN want w ON w.shard = h.shard
                 WHERE h.epoch = w.epoch AND h.config = cfg AND h.core = me ORDER BY h.shard FOR NO KEY UPDATE OF h)
  SELECT string_agg(w.shard::text, ',') INTO miss FROM want w LEFT JOIN held USING (shard) WHERE held.shard IS NULL;
  IF miss IS NOT NULL THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SA001', DETAIL = miss; END IF;
END $$;

-- In a pipeline a row count arrives after COMMIT was sent: so a statement that must touch every row raises by itself.
CREATE FUNCTION one_for_each(touched int8, wanted int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF touched <> wanted THEN
    RAISE EXCEPTION 'touched % rows of %', touched, wanted USING ERRCODE = 'SA002';
  END IF;
END $$;
