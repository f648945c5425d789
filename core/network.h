/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The network model: organisations, desks, services, calendars, ladders,
 * legal bases and categories, with validity dates. Read from
 * workflows/network/<name>/ *.cfg by the strict front end (network_load.c).
 *
 * Numbers are durable: `number` of an organisation, desk, service and basis is
 * written by the designer, stands in the ledger and the log, and is never used
 * again for something else. Indexes (`_ix`) are positions in these arrays and
 * live only as long as this object. No kind of organisation is named in C.
 *
 * The object is immutable after loading; everything is borrowed from it.
 */
#ifndef NETWORK_H
#define NETWORK_H
#include "calendar.h"
#include "instrument.h"
#include "sto_conf.h"
#include "sto_limits.h"
#include <stdbool.h>
#include <stdint.h>

#define NET_KINDS_MAX     16
#define NET_MEMBERS_MAX   12
#define NET_PROVIDERS_MAX 32
#define NET_SETTINGS_MAX  256

struct validity {
    int32_t from_day, until_day;
}; /* inclusive; INT32_MIN / INT32_MAX = open */
static inline bool validity_holds(const struct validity *v, int32_t day)
{
    return day >= v->from_day && day <= v->until_day;
}

struct desk {
    uint16_t number;
    const char *id;
    const char *lead;    /* name of the desk's lead person or shared box; "" = none */
    int16_t calendar_ix; /* own, or the organisation's */
};

struct organisation {
    uint16_t number;         /* 1..32767 */
    const char *id;          /* "oulu-te" */
    const char *name;        /* as people read it */
    const char *business_id; /* Y-tunnus, checked; "" = none */
    const char *kinds[NET_KINDS_MAX];
    uint8_t n_kinds;          /* "te-office", "municipality", … */
    const char *municipality; /* serves or lies in; "" = everywhere */
    bool may_hold;            /* may be responsible for a client (lead) */
    struct validity valid;
    uint16_t successor; /* number, 0 = none; from valid.until_day + 1 */
    int16_t calendar_ix;
    struct desk desks[STO_DESKS_MAX];
    uint8_t n_desks; /* [0] is the default (intake) desk */
};

enum service_shape {
    SERVICE_PLAIN,
    SERVICE_SESSION, /* dates, or groups that the organiser opens */
    SERVICE_PLACE,   /* places without dates */
    SERVICE_QUOTA,   /* used up, given back only by its owner */
    SERVICE_PANEL    /* dates with a cut-off; stands under `panels`, numbers are the services' */
};
enum place_order { ORDER_ARRIVAL /* "date" */, ORDER_URGENT };
struct service {
    uint16_t number;
    const char *id; /* "service-guidance", "info-event" */
    uint16_t org;   /* number; of providers[0] */
    uint16_t desk;  /* number */
    struct provider {
        uint16_t org, desk;
    } providers[NET_PROVIDERS_MAX]; /* who gives it; several with SERVICE_PLAIN only */
    uint8_t n_providers;
    struct validity valid;
    enum service_shape shape; /* by `dates` or `groups`, `places` alone, `quota`, `panels` */
    const char *rrule;        /* dates = "FREQ=…" */
    int32_t start_day;        /* rule's anchor */
    int16_t at_min;           /* local minute of the day */
    uint16_t places; /* SESSION, PANEL: of each date, 0 = unlimited; PLACE, QUOTA: in all */
    struct sto_duration invite; /* invitation goes out this long before the date */
    struct sto_duration
        record;       /* attendance, PANEL: decision, is recorded within, after the date */
    bool obliging;    /* absence may be told to an authority */
    bool groups;      /* SESSION without a rule: its organiser opens dates */
    uint16_t minimum; /* groups: seats wanted before one may be opened */
    enum place_order order;
    struct sto_duration
        answer;      /* PLACE: an offered place is answered within; n 0 = it needs none */
    bool keeps_turn; /* PLACE: who declines keeps the turn */
    struct sto_duration cut_off, material; /* PANEL: before the date */
    uint16_t members[NET_MEMBERS_MAX];     /* PANEL: organisations */
    uint8_t n_members;
    uint8_t quorum;
    const char *agreement; /* id of the agreement that the service stands on, "" */
};

struct calendar_def {
    const char *id;
    struct calendar cal;
};

/* Escalation ladder: rungs counted in the ball holder's working time. */
enum rung_to { RUNG_BALL, RUNG_DESK_LEAD, RUNG_SENDER_LEAD, RUNG_COORDINATOR };
struct rung {
    struct sto_duration after;
    bool before_due; /* `after` counts before due (reminder) or after due */
    enum rung_to to;
};
#define LADDER_RUNGS_MAX 8
struct ladder {
    const char *id;
    struct rung rungs[LADDER_RUNGS_MAX];
    uint8_t n_rungs;
};

enum basis_kind { BASIS_STATUTE = 1, BASIS_CONSENT, BASIS_CONTRACT, BASIS_VITAL, BASIS_CLIENT_ACT };
struct basis {
    uint16_t number;
    uint16_t version;
    const char *id;
    enum basis_kind kind;
    const char *purpose; /* equals the workflow's purpose */
    const char *receiver_kinds[NET_KINDS_MAX];
    uint8_t n_receiver_kinds;
    uint16_t receiver_orgs[16];
    uint8_t n_receiver_orgs; /* numbers; both lists empty = nobody */
    uint32_t categories;     /* bits of network.categories */
    struct validity valid;
    const char *document; /* reference: act and section */
};

struct clock_defaults { /* of handover.md; a network may change them */
    struct sto_duration answer, decide, info, book, meet, confirm, check_in, wait_max, stable, cap,
        draft, next;
    uint8_t info_rounds_max; /* 3 */
    uint8_t no_show_limit;   /* 2 */
};

struct network_setting {
    const char *workflow, *name;
    bool is_duration;
    int64_t i;
    struct sto_duration d;
    const char *file;
    int line;
};

typedef struct network network_t;
struct network {
    const char *id; /* "oulu-2014" */
    uint32_t version;
    uint8_t hash[32]; /* of the files' bytes, in name order */
    struct organisation orgs[STO_ORGS_MAX];
    uint16_t n_orgs; /* sorted by number */
    struct service services[STO_SERVICES_MAX];
    uint16_t n_services; /* sorted by number */
    struct calendar_def calendars[STO_CALENDARS_MAX];
    uint8_t n_calendars; /* [0] default */
    const struct instrument *instruments;
    uint16_t n_instruments; /* in the files' order */
    struct ladder ladders[STO_LADDERS_MAX];
    uint8_t n_ladders; /* [0] default */
    struct basis bases[STO_BASES_MAX];
    uint8_t n_bases;
    const char *categories[STO_CATEGORIES_MAX];
    uint8_t n_categories;
    uint32_t teaser_always; /* categories that may leave before acceptance, bits */
    struct clock_defaults clocks;
    struct network_setting settings[NET_SETTINGS_MAX];
    uint16_t n_settings;
    uint16_t coordinator_org; /* number: end of every ladder */
    int32_t as_of_day;        /* day that checks and scenarios look at, INT32_MIN = none */
    int32_t until_day;        /* last day on which cases begin here, INT32_MAX = open; for checks */
    bool as_of; /* network_as_of() was called: ids of what has ended stand for the successor */
    sto_arena_t *arena; /* owns all strings */
};

/* One file's bytes; name as shown in errors. */
struct model_file {
    const char *name;
    const char *text;
    size_t len;
};

/* Files of one network in name order; a group but `network` may stand in several of them. On errors
 * returns -STO_E_CONFIG, *out NULL, all errors in diags. */
int network_load(const char *id, const struct model_file *files, size_t n_files, sto_diags_t *diags,
                 network_t **out);
void network_destroy(network_t **self_p);
/*
 * Makes of a network that names a day (`as-of`) one that is, at every date, what it is on that day:
 * who and what is in force then always is, everything else never, and network_org_by_id() gives for
 * an organisation that has ended the one that carries on. So scenarios of any time can be played
 * in it. Without `as-of` nothing changes. Before anything else has read the network.
 */
void network_as_of(network_t *n);

const struct organisation *network_org(const network_t *n,
                                       uint16_t number); /* NULL = none; O(log n) */
const struct organisation *network_org_by_id(const network_t *n, const char *id);
const struct desk *network_desk(const struct organisation *o, uint16_t number);
const struct desk *network_desk_by_id(const struct organisation *o, const char *id);
const struct service *network_service(const network_t *n, uint16_t number);
const struct service *network_service_by_id(const network_t *n, const char *id);
/* Does the organisation give the service? NULL = no. */
const struct provider *service_provider(const struct service *s, uint16_t org);
/* Has it an aggregate of its own: dates, seats, places, a quota, an agenda? */
static inline bool service_shared(const struct service *s)
{
    return s->shape != SERVICE_PLAIN;
}
int network_category(const network_t *n, const char *id); /* bit, -1 = unknown */
const struct instrument *network_instrument(const network_t *n, const char *id);
bool organisation_is(const struct organisation *o, const char *kind);
/* Follows successor links from `number` to whoever is in force on `day`; 0 = nobody. */
uint16_t network_in_force(const network_t *n, uint16_t number, int32_t day);
const struct calendar *network_calendar(const network_t *n, uint16_t org, uint16_t desk);

/* Legal basis for sending `category` (bit index) to receiver on `day`; NULL = none. Statutes and
   contracts only; consents of the client are in the case's state (engine). */
const struct basis *network_basis(const network_t *n, const char *purpose, uint16_t receiver_org,
                                  unsigned category, int32_t day);

#endif
