/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The networks that are shipped: the same kinds, services and numbers in both, successors who carry
 * on, and a network seen as of one day.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "network.h"
#include "shipped.h"

static network_t *before, *after;

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    before = load_shipped("oulu-2014");
    after = load_shipped("oulu-2026");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_destroy(&before);
    network_destroy(&after);
    return 0;
}

/* R128 */
static void both_have_the_same_services_of_the_same_shape(void **state)
{
    (void)state;
    assert_int_equal(before->n_services, after->n_services);
    for (unsigned k = 0; k < before->n_services; k++) {
        const struct service *a = &before->services[k], *b = &after->services[k];
        assert_string_equal(a->id, b->id);
        assert_int_equal(a->number, b->number);
        assert_int_equal(a->shape, b->shape);
        assert_int_equal(a->places, b->places);
        assert_int_equal(a->groups, b->groups);
        assert_string_equal(a->rrule, b->rrule);
    }
}

static bool has_kind(const network_t *n, const char *kind, int32_t day)
{
    for (unsigned k = 0; k < n->n_orgs; k++) {
        if (organisation_is(&n->orgs[k], kind) && validity_holds(&n->orgs[k].valid, day)) {
            return true;
        }
    }
    return false;
}

static void every_kind_of_2014_is_there_in_2026(void **state)
{
    (void)state;
    int32_t day = sto_day_from_civil(2026, 6, 1);
    for (unsigned k = 0; k < before->n_orgs; k++) {
        for (unsigned j = 0; j < before->orgs[k].n_kinds; j++) {
            if (!has_kind(after, before->orgs[k].kinds[j], day)) {
                fail_msg("kind '%s' has no organisation in 2026", before->orgs[k].kinds[j]);
            }
        }
    }
}

/* R129 */
static void organisations_keep_their_numbers_or_have_a_successor(void **state)
{
    (void)state;
    int32_t day = sto_day_from_civil(2026, 6, 1);
    for (unsigned k = 0; k < before->n_orgs; k++) {
        const struct organisation *a = &before->orgs[k], *b = network_org(after, a->number);
        assert_non_null(b);
        assert_string_equal(a->id, b->id);
        const struct organisation *now =
            network_org(after, network_in_force(after, b->number, day));
        assert_non_null(now);
        assert_true(now->may_hold || !a->may_hold);
        for (unsigned j = 0; j < a->n_desks; j++) {
            if (!network_desk_by_id(now, a->desks[j].id)) {
                fail_msg("desk '%s/%s' has no counterpart at '%s'", a->id, a->desks[j].id, now->id);
            }
        }
    }
}

static void a_basis_never_changes_its_number(void **state)
{
    (void)state;
    for (unsigned k = 0; k < before->n_bases; k++) {
        const struct basis *a = &before->bases[k];
        bool found = false;
        for (unsigned j = 0; j < after->n_bases; j++) {
            const struct basis *b = &after->bases[j];
            if (a->number == b->number && a->version == b->version) {
                assert_string_equal(a->id, b->id);
                assert_int_equal(a->categories, b->categories);
                found = true;
            }
        }
        assert_true(found);
    }
}

/* The statute of 2023 lets through what needed a consent before. */
static void the_act_of_2023_stands_beside_consent(void **state)
{
    (void)state;
    int32_t then = sto_day_from_civil(2014, 6, 1), now = sto_day_from_civil(2026, 6, 1);
    unsigned health = (unsigned)network_category(after, "health");
    uint16_t kela = network_org_by_id(after, "kela-oulu")->number;
    uint16_t company = network_org_by_id(after, "yritys-honka")->number;
    assert_null(network_basis(before, "work-ability", kela, health, then));
    assert_null(network_basis(after, "work-ability", kela, health, then));
    const struct basis *b = network_basis(after, "work-ability", kela, health, now);
    assert_non_null(b);
    assert_int_equal(b->kind, BASIS_STATUTE);
    assert_non_null(strstr(b->document, "381/2023"));
    assert_null(network_basis(after, "work-ability", company, health, now));
}

static void as_of_its_day_an_ended_organisation_stands_for_its_successor(void **state)
{
    (void)state;
    network_t *n = load_shipped("oulu-2026");
    const struct organisation *te = network_org_by_id(n, "oulu-te");
    assert_string_equal(te->id, "oulu-te");
    network_as_of(n);
    assert_string_equal(network_org_by_id(n, "oulu-te")->id, "oulu-employment-area");
    assert_string_equal(network_org_by_id(n, "tuira-health")->id, "pohde");
    assert_string_equal(network_org_by_id(n, "oulu")->id, "oulu");
    for (int year = 1999; year < 2100; year += 20) {
        int32_t day = sto_day_from_civil(year, 2, 3);
        const struct organisation *o = network_org_by_id(n, "oulu-employment-area");
        assert_true(validity_holds(&o->valid, day));
        assert_false(validity_holds(&te->valid, day));
        assert_int_equal(network_in_force(n, te->number, day), o->number);
        assert_non_null(network_basis(n, "joint-service", o->number, 0, day));
    }
    const struct service *s = network_service_by_id(n, "nurse");
    assert_int_equal(s->n_providers, 1);
    assert_int_equal(s->org, network_org_by_id(n, "pohde")->number);
    assert_string_equal(network_desk(network_org(n, s->org), s->desk)->id, "nurses");
    network_destroy(&n);
}

static void without_a_day_as_of_changes_nothing(void **state)
{
    (void)state;
    network_t *n = load_shipped("oulu-2014");
    network_as_of(n);
    assert_false(n->as_of);
    assert_int_equal(network_org_by_id(n, "oulu-te")->valid.until_day,
                     sto_day_from_civil(2024, 12, 31));
    network_destroy(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_have_the_same_services_of_the_same_shape),
        cmocka_unit_test(every_kind_of_2014_is_there_in_2026),
        cmocka_unit_test(organisations_keep_their_numbers_or_have_a_successor),
        cmocka_unit_test(a_basis_never_changes_its_number),
        cmocka_unit_test(the_act_of_2023_stands_beside_consent),
        cmocka_unit_test(as_of_its_day_an_ended_organisation_stands_for_its_successor),
        cmocka_unit_test(without_a_day_as_of_changes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
