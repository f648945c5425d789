/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as the stored state of what cases share, and as the ops of its fact: refused, or read
 * and written back the same; and whatever state was read, deciding on it ends, for every shape of
 * service, even one that the state was not made for.
 */
#include <stdint.h>
#include <string.h>

#include "shared.h"

#define SERVICE 7                         /* the first; others follow */
#define NOW_US  INT64_C(1199692800000000) /* 2008-01-07 10:00 */

static const struct service *service_add(network_t *net, enum service_shape shape)
{
    unsigned n = net->n_services++;
    struct service *v = &net->services[n];
    bool dates = shape == SERVICE_SESSION || shape == SERVICE_PANEL;
    *v = (struct service){.number = (uint16_t)(SERVICE + n),
                          .id = "event",
                          .org = 1,
                          .desk = 1,
                          .valid = {INT32_MIN, INT32_MAX},
                          .shape = shape,
                          .rrule = dates ? "FREQ=WEEKLY" : "",
                          .start_day = 13879,
                          .at_min = 600,
                          .places = 2,
                          .invite = {7, STO_DAYS},
                          .record = {1, STO_BUSINESS_DAYS},
                          .minimum = 1,
                          .answer = {2, STO_BUSINESS_DAYS},
                          .cut_off = {7, STO_DAYS},
                          .material = {2, STO_DAYS},
                          .members = {1},
                          .n_members = 1};
    return v;
}

static network_t *network_once(void)
{
    static network_t *net;
    if (!net) {
        sto_time_init();
        net = sto_xcalloc(1, sizeof *net);
        net->id = "fuzz";
        net->n_orgs = 1;
        net->orgs[0].number = 1;
        net->orgs[0].id = net->orgs[0].name = "host";
        net->orgs[0].valid = (struct validity){INT32_MIN, INT32_MAX};
        net->orgs[0].n_desks = 1;
        net->orgs[0].desks[0].number = 1;
        net->orgs[0].desks[0].id = "intake";
        net->n_calendars = 1;
        calendar_default(&net->calendars[0].cal);
        (void)service_add(net, SERVICE_SESSION);
        (void)service_add(net, SERVICE_PLACE);
        (void)service_add(net, SERVICE_QUOTA);
        (void)service_add(net, SERVICE_PANEL);
        (void)service_add(net, SERVICE_SESSION);
        net->services[4].rrule = "";
        net->services[4].groups = true;
        net->services[4].invite.n = 0;
    }
    return net;
}

static void decide(const struct shared_state *s, const struct input *in, sto_arena_t *arena)
{
    struct fact f;
    struct sto_uuid id = {{1}};
    struct shared_state next = *s;
    if (s->seq < UINT32_MAX &&
        shared_decide(network_once(), &id, s, in, NOW_US, arena, &f, NULL) == 0) {
        STO_ASSERT(f.n_mails <= STO_FACT_MAILS_MAX && f.n_sends <= STO_FACT_SENDS_MAX);
        STO_ASSERT(shared_evolve(&next, &f, NULL) == 0);
    }
}

/* Each letter that may come, from the first on the list, or from somebody new. */
static void letters(const struct shared_state *s, sto_arena_t *arena)
{
    struct mail m = {.src = {{9}}, .service = s->service, .token = 1, .n = 3};
    struct input in = {.kind = EVENT_MAIL, .mail = &m};
    if (s->n_seats > 0 && s->n_seats % 2 == 1) {
        m.src = s->seats[0].case_id;
        m.token = s->seats[0].token;
        m.entry = s->seats[0].entry;
    }
    for (unsigned kind = 0; kind <= MAIL_KIND_LAST; kind++) {
        m.kind = (uint8_t)kind;
        decide(s, &in, arena);
        sto_arena_reset(arena);
    }
}

static void drive(struct shared_state *s, sto_arena_t *arena)
{
    struct input in = {.kind = EVENT_CLOCK, .actor = {1, 1}, .exit = "excused", .place = 1};
    (void)shared_invariants(network_once(), s, NULL);
    (void)shared_next_due_us(network_once(), s);
    decide(s, &in, arena);
    in.kind = EVENT_QUOTA_RETURN;
    decide(s, &in, arena);
    in.kind = EVENT_GROUP_OPEN;
    in.at_us = NOW_US + STO_US_PER_HOUR;
    decide(s, &in, arena);
    if (s->n_seats > 0) {
        in.kind = EVENT_SESSION_RECORD;
        in.subject_case = s->seats[0].case_id;
        decide(s, &in, arena);
    }
    if (s->n_dates > 0) {
        in.kind = EVENT_SESSION_MOVE;
        in.at_us = s->dates[0].at_us;
        decide(s, &in, arena);
    }
    sto_arena_reset(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct shared_state s, again;
    sto_arena_t *arena = sto_arena_new(1u << 20);
    if (shared_decode(data, size, &s, NULL) == 0) {
        struct sto_buf buf;
        sto_buf_init(&buf, 0);
        shared_encode(&s, &buf);
        STO_ASSERT(shared_decode(buf.data, buf.len, &again, NULL) == 0);
        STO_ASSERT(shared_equal(&s, &again));
        sto_buf_release(&buf);
        unsigned n = network_once()->n_services;
        s.service = (uint16_t)(SERVICE + s.seq % n); /* one of them: the rule's dates take time */
        drive(&s, arena);
        letters(&s, arena);
    }
    if (size > 2 && size < UINT32_MAX) {
        struct fact f = {.seq = 1, .n_ops = data[0], .ops_len = (uint32_t)size - 1};
        uint8_t *ops = sto_arena_alloc(arena, size - 1);
        if (ops) {
            memcpy(ops, data + 1, size - 1);
            f.ops = ops;
            memset(&s, 0, sizeof s);
            s.service = SERVICE;
            again = s;
            if (shared_evolve(&s, &f, NULL) != 0) {
                STO_ASSERT(shared_equal(&s, &again)); /* a refused fact changes nothing */
            }
        }
    }
    sto_arena_destroy(&arena);
    return 0;
}
