/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Limits first: every queue, frame, string and graph has its limit here, with
 * unit and reason. Relations between them are held by _Static_assert below.
 */
#ifndef STO_LIMITS_H
#define STO_LIMITS_H

/* wire */
#define STO_FRAME_BYTES_MAX        65536u /* ZMQ_MAXMSGSIZE: bounds the unauthenticated handshake too */
#define STO_FRAME_MSGS_MAX         512u     /* messages in one frame */
#define STO_DECODE_ARENA_BYTES     1048576u /* all allocations of one protobuf decode */
#define STO_DECODE_ALLOCS_MAX      8192u    /* count of allocations of one decode */
#define STO_MSG_FIELDS_MAX         64u      /* fields in one event */
#define STO_FIELD_BYTES_MAX        4096u    /* one field's value */
#define STO_CASE_CONTENT_BYTES_MAX 32768u   /* all contents of one case */
#define STO_NAME_BYTES_MAX         64u /* names of steps, fields, roles, organisations, workflows */
#define STO_REASON_BYTES_MAX       512u  /* free text of a reason */
#define STO_SESSION_CREDIT_MSGS    1024u /* deliveries in flight for one session */
#define STO_SESSION_CREDIT_BYTES   1048576u
#define STO_SESSIONS_MAX           1024u /* live sessions of one core */

/* batches */
#define STO_BATCH_EVENTS_MAX    1024u
#define STO_BATCH_BYTES_MAX     1048576u
#define STO_INFLIGHT_INPUTS_MAX 8192u /* kept inputs over all batches; beyond: BUSY */

/* domain */
#define STO_SHARDS_MAX           256u
#define STO_ORGS_MAX             256u
#define STO_DESKS_MAX            32u  /* of one organisation */
#define STO_SERVICES_MAX         256u /* panels included */
#define STO_BASES_MAX            128u
#define STO_CATEGORIES_MAX       16u /* a bit each in a uint32_t */
#define STO_CALENDARS_MAX        64u
#define STO_LADDERS_MAX          32u
#define STO_INSTRUMENTS_MAX      32u
#define STO_INSTRUMENT_ITEMS_MAX 200u
#define STO_INSTRUMENT_SUMS_MAX  32u
#define STO_WF_STEPS_MAX         224u /* called ones and the branches of each included */
#define STO_WF_FIELDS_MAX        64u  /* a bit each in a uint64_t */
#define STO_WF_ROLES_MAX         32u  /* a bit each in a uint32_t */
#define STO_WF_EXITS_MAX         192u /* interned exit names of one workflow; a uint8_t */
#define STO_WF_SETTINGS_MAX      16u
#define STO_WF_CONSENTS_MAX      8u
#define STO_WF_MESSAGES_MAX      16u
#define STO_CASE_TOKENS_MAX      24u
#define STO_CASE_HOLDINGS_MAX    8u  /* places of the network that one case holds */
#define STO_CASE_OFFERS_MAX      12u /* live or last offers of the case */
#define STO_CASE_CLOCKS_MAX      64u
#define STO_FACT_OPS_MAX         512u /* a case that goes on in another workflow changes nearly all */
#define STO_FACT_SENDS_MAX       32u
#define STO_FACT_MAILS_MAX       16u
#define STO_INSTANT_STEPS_MAX    64u  /* decide/notify/end run in one event: a circle is a fault */
#define STO_SESSION_SEATS_MAX    256u /* seats and queue of one session aggregate */
#define STO_SESSION_DATES_MAX    8u   /* dates of one session service known ahead */

/* files */
#define STO_CONF_FILE_BYTES_MAX 1048576u
#define STO_CONF_CHILDREN_MAX   2000u /* settings in one group */
#define STO_CONF_DEPTH_MAX      24u
#define STO_DIAGS_MAX           500u

_Static_assert(STO_WF_FIELDS_MAX <= 64, "field sets are uint64_t");
_Static_assert(STO_WF_ROLES_MAX <= 32, "role sets are uint32_t");
_Static_assert(STO_CATEGORIES_MAX <= 32, "category sets are uint32_t");
_Static_assert(STO_DECODE_ARENA_BYTES >= 8 * STO_FRAME_BYTES_MAX, "a full frame decodes");
_Static_assert(STO_INFLIGHT_INPUTS_MAX >= 2 * STO_BATCH_EVENTS_MAX,
               "one batch commits, one collects");

#endif
