/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the store does by itself: its heartbeat each second, the configuration's number each half
 * second, and each minute the servers' settings that a promise rests on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_log.h"
#include "sto_time.h"
#include "store_pg_impl.h"

#define BEAT_US  (STO_US_PER_SEC / 2)
#define CHECK_US (60 * STO_US_PER_SEC)

/* What a setting must be; several values are parted by '|'. */
static const struct {
    const char *name, *wanted, *why;
} rules[] = {
    {"fsync", "on", "a commit would not reach the disk"},
    {"full_page_writes", "on", "a torn page would stay torn"},
    {"data_sync_retry", "off", "a failed write to disk would be forgotten"},
    {"data_checksums", "on", "a damaged page would go unseen"},
    {"synchronous_commit", "on|remote_apply", "a commit would be reported before it is durable"},
    {"wal_level", "replica|logical", "neither a standby nor a restore could follow"},
    {"log_statement", "none|ddl", "contents would stand in the server's log"},
    {"log_parameter_max_length", "0", "contents would stand in the server's log"},
    {"log_parameter_max_length_on_error", "0", "contents would stand in the server's log"},
};

static bool among(const char *value, const char *wanted)
{
    size_t n = strlen(value);

    for (const char *p = wanted; p != NULL; p = strchr(p, '|')) {
        p += *p == '|' ? 1 : 0;
        if (strncmp(p, value, n) == 0 && (p[n] == '\0' || p[n] == '|')) {
            return true;
        }
    }
    return false;
}

static void judge(struct check *c, const char *database, const char *name, const char *value)
{
    if (strcmp(name, "server_version_num") == 0 && strtol(value, NULL, 10) < 150000) {
        snprintf(c->unsafe, sizeof c->unsafe, "%s database: version must be 15 or newer, got '%s'",
                 database, value);
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].name, name) == 0 && !among(value, rules[i].wanted)) {
            snprintf(c->unsafe, sizeof c->unsafe, "%s database: %s must be %s, got '%s': %s",
                     database, name, rules[i].wanted, value, rules[i].why);
        }
    }
}

static void settings_from(struct check *c, const char *database, const PGresult *r)
{
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        return; /* asked again in a minute; a lost session has its own ways */
    }
    c->unsafe[0] = '\0';
    for (int i = 0; i < PQntuples(r); i++) {
        judge(c, database, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1));
    }
    c->known = true;
    if (c->unsafe[0] != '\0') {
        sto_log(STO_ERROR, "db_unsafe", "what", c->unsafe, NULL);
    }
}

/* ------------------------------------------------------------- data database */

static void beat_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    (void)query;
    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        s->beat_failed = true;
        snprintf(s->load.why, sizeof s->load.why, "%s",
                 PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
        sto_log(STO_WARN, "beat_failed", "error", s->load.why, NULL);
    } else if (PQnfields(r) == 2 && PQftype(r, 0) == 25) {
        settings_from(&s->data_check, "data", r);
    } else if (PQnfields(r) == 2) {
        if (PQntuples(r) == 1) {
            s->config = (uint64_t)pg_int8(r, 0, 0);
            s->n_shards = (uint16_t)pg_int2(r, 0, 1);
        } else {
            s->beat_failed = true;
            snprintf(s->load.why, sizeof s->load.why, "it names no installation");
        }
    }
}

static void beat_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    s->beaten = s->beaten || (!lost && !s->beat_failed);
    s->former_gone = s->former_gone || s->beaten;
}

static void beat(struct store_pg *s, bool check)
{
    const struct pg_job job = {beat_result, beat_done, s};
    struct pg_params p = {0};

    s->beat_failed = false;
    pg_params_call(&p, LD_BEAT);
    pg_params_int8(&p, (int64_t)s->core_id);
    pg_params_raw(&p, s->host, (int)strlen(s->host));
    for (unsigned i = 0; i < STORE_FORMER_MAX && !s->former_gone; i++) {
        if (s->former_core_ids[i] != 0) {
            pg_params_call(&p, LD_FORMER);
            pg_params_int8(&p, (int64_t)s->former_core_ids[i]);
        }
    }
    pg_params_call(&p, LD_CONFIG_NUMBER);
    if (check) {
        pg_params_call(&p, LD_SETTINGS);
    }
    pg_link_begin(&s->load, &job, s->now_us + LOAD_TIMEOUT_US);
    pg_link_calls(&s->load, &p);
    pg_link_send(&s->load);
    pg_params_release(&p);
}

/* -------------------------------------------------------------- key database */

static void keys_check_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    (void)query;
    settings_from(&s->keys_check, "key", r);
}

static void keys_check_done(void *arg, bool lost)
{
    (void)arg;
    (void)lost;
}

static void check_keys(struct store_pg *s)
{
    const struct pg_job job = {keys_check_result, keys_check_done, s};
    struct pg_params p = {0};

    pg_params_call(&p, KEY_SETTINGS);
    pg_link_begin(&s->keys, &job, s->now_us + LOAD_TIMEOUT_US);
    pg_link_calls(&s->keys, &p);
    pg_link_send(&s->keys);
    pg_params_release(&p);
}

void watch_run(struct store_pg *s)
{
    bool check = s->now_us >= s->next_check_us;

    /* the keys' link waits with a load's second half while that load uses the data's link */
    if (check && s->keys.state == PG_LINK_READY && s->loading.request == NULL) {
        check_keys(s);
        s->next_check_us = s->now_us + CHECK_US;
        s->next_beat_us = 0;
        s->checks_due = true;
    }
    if (s->load.state == PG_LINK_READY && s->now_us >= s->next_beat_us) {
        beat(s, s->checks_due);
        s->checks_due = false;
        s->next_beat_us = s->now_us + BEAT_US;
    }
}
