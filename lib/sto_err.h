/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Errors: one table of codes, one fixed-size error value.
 *
 * The table is the single source of every code that a program prints, a wire
 * message carries or a process exits with. Numbers are stable: they travel on
 * the wire (proto/saatto/v1) and stand in the audit log; never reuse one.
 *
 * Fallible functions return 0 or a negative code (-(int)STO_E_...); their last
 * argument is `struct sto_err *err`, owned by the caller and untouched on
 * success. err may be NULL where a header says so.
 */
#ifndef STO_ERR_H
#define STO_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* X(NAME, number, "E-name", http, exit, retryable, "what it means and what mends it") */
#define STO_ERR_TABLE(X)                                                                           \
    X(INTERNAL, 1, "E-internal", 500, 1, 0, "a fault of Saatto itself; report it with the log")    \
    X(USAGE, 2, "E-usage", 400, 2, 0, "the command's words are off; see --help")                   \
    X(NOT_FOUND, 3, "E-not-found", 404, 3, 0, "nothing with that name or id exists here")          \
    X(REFUSED, 4, "E-refused", 409, 4, 0, "a rule forbids it; the message names the rule")         \
    X(UNREACHABLE, 5, "E-unreachable", 503, 5, 1, "the other side does not answer; start it")      \
    X(TIMEOUT, 6, "E-timeout", 504, 6, 1, "no answer in time; try again")                          \
    X(IO, 7, "E-io", 500, 1, 1, "a file or socket operation failed; see the message")              \
    X(CONFIG, 8, "E-config", 400, 1, 0, "a configuration file is wrong; every error is listed")    \
    X(LIMIT, 9, "E-limit", 413, 1, 0, "larger or more than a limit of sto_limits.h allows")        \
    X(DIFFERENT, 10, "E-different", 409, 10, 0, "two things that must be equal differ")            \
    X(MALFORMED, 11, "E-malformed", 400, 4, 0, "the message breaks the wire contract")             \
    X(VERSION, 12, "E-version", 400, 4, 0, "the peer speaks no version that is spoken here")       \
    X(HELLO_REQUIRED, 13, "E-hello-required", 409, 5, 1, "unknown session; say HELLO again")       \
    X(BUSY, 14, "E-busy", 429, 5, 1, "too much is in flight; send again after a while")            \
    X(NOT_OWNER, 15, "E-not-owner", 409, 5, 1, "another core owns that shard; send it there")      \
    X(GAP, 16, "E-gap", 409, 5, 1, "a sequence number was skipped; rewind to the expected one")    \
    X(ALTERED, 17, "E-altered", 409, 4, 0, "same message id, other contents; never done")          \
    X(ALREADY, 18, "E-already-processed", 200, 0, 0, "done before; its answer is no longer kept")  \
    X(PARKED, 19, "E-parked", 500, 4, 0, "the message could not be applied and waits for people")  \
    X(FENCED, 20, "E-fenced", 503, 5, 1, "another core took the shard over")                       \
    X(DB, 21, "E-database", 503, 5, 1, "the database refused or is away")                          \
    X(DURABILITY, 22, "E-durability", 503, 1, 0, "a database setting makes commits unsafe")        \
    X(CRYPTO, 23, "E-crypto", 400, 1, 0, "a key, signature or ciphertext is wrong")                \
    X(UNKNOWN_CASE, 32, "E-unknown-case", 404, 4, 0, "no case has that id")                        \
    X(UNKNOWN_WORKFLOW, 33, "E-unknown-workflow", 404, 4, 0, "no such workflow is deployed")       \
    X(UNKNOWN_STEP, 34, "E-unknown-step", 404, 4, 0, "the case has no such step, task or offer")   \
    X(UNKNOWN_NAME, 35, "E-unknown-name", 404, 4, 0, "no such role, field, exit or organisation")  \
    X(NOT_ALLOWED, 36, "E-not-allowed", 403, 4, 0, "this organisation may not make this event")    \
    X(WRONG_STATE, 37, "E-wrong-state", 409, 4, 0, "the event does not fit the present state")     \
    X(LATE, 38, "E-late", 409, 4, 0, "the matter had ended; stored, changes nothing")              \
    X(NO_BASIS, 39, "E-no-basis", 403, 4, 0, "no legal basis covers this sending")                 \
    X(FIELD, 40, "E-field", 400, 4, 0, "a field's value is outside its type or limits")            \
    X(MISSING_FIELD, 41, "E-missing-field", 400, 4, 0, "a required field is not there")            \
    X(CONDITION, 42, "E-condition", 409, 4, 0, "the workflow's condition does not hold")           \
    X(DUPLICATE_CASE, 43, "E-duplicate-case", 409, 4, 0,                                           \
      "the client has an open case; it is linked")                                                 \
    X(NOT_IN_FORCE, 44, "E-not-in-force", 409, 4, 0, "the organisation is not in force that day")  \
    X(RETURN_LAPSED, 45, "E-return-lapsed", 409, 4, 0, "the right of return has ended")            \
    X(OPEN_WORK, 46, "E-open-work", 409, 4, 0, "an open offer, task or seat forbids closing")      \
    X(LIMIT_ROUNDS, 47, "E-limit-rounds", 409, 4, 0, "no more rounds of questions are allowed")    \
    X(TWO_PERSONS, 48, "E-two-persons", 403, 4, 0, "this act needs two administrators")            \
    X(CLOCK_BUSY, 49, "E-clock-busy", 409, 6, 1, "the clock cannot advance: somebody is not idle") \
    X(MISSING_REASON, 50, "E-missing-reason", 400, 4, 0, "this act needs a coded reason")          \
    X(CAPACITY, 51, "E-capacity", 409, 4, 0, "no place is free")

enum sto_code {
    STO_OK = 0,
#define X(name, number, text, http, exit_code, retry, explain) STO_E_##name = number,
    STO_ERR_TABLE(X)
#undef X
};

struct sto_err {
    int code;       /* enum sto_code, positive */
    int line;       /* of `file`, 0 = none */
    char file[128]; /* configuration or input file, "" = none */
    char what[384]; /* one line, lower case, no full stop */
    char fix[192];  /* how to mend it, "" = none */
};

/* One row of the table; NULL for an unknown code. */
struct sto_err_row {
    int code;
    const char *name; /* "NOT_ALLOWED" */
    const char *text; /* "E-not-allowed" */
    int http;
    int exit_status;
    int retryable;
    const char *explain;
};
const struct sto_err_row *sto_err_row(int code);
const struct sto_err_row *sto_err_row_by_text(const char *text);
size_t sto_err_rows(const struct sto_err_row **rows);

/* Fill err (may be NULL) and return -code, so that `return sto_fail(err, …)` works. */
int sto_fail(struct sto_err *err, enum sto_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Same, then sets the hint. */
void sto_err_fix(struct sto_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Put context in front: "context: what". */
void sto_err_context(struct sto_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "E-code: what. Fix: …" into buf; returns buf. */
const char *sto_err_format(const struct sto_err *err, char *buf, size_t cap);

/* Programmer errors; always on. Never on input. */
_Noreturn void sto_assert_failed(const char *expr, const char *file, int line);
#define STO_ASSERT(expr) ((expr) ? (void)0 : sto_assert_failed(#expr, __FILE__, __LINE__))

#endif
