/* SPDX-License-Identifier: EUPL-1.2 */
/* Profiles: filling-ins from files and from text, which point is which, and the picture. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile.h"
#include "sto_arena.h"
#include "sto_file.h"

/* Two items, answers 0 to 4; a sum in per cent and one of plain answers. */
static const struct instrument SMALL = {
    .id = "small",
    .title = {"Pieni <mittari>", "Liten", "Small"},
    .names = {"q1", "q2"},
    .items = 2,
    .max = 4,
    .answered_least = 50,
    .sums = {{.id = "all",
              .label = {"Kaikki", "Allt", "A & B"},
              .area = "",
              .scale = SCALE_PERCENT,
              .items = {0, 1},
              .n_items = 2},
             {.id = "first",
              .label = {"Ensimmäinen kysymys, jonka nimi on hyvin pitkä", "F", "First"},
              .area = "",
              .scale = SCALE_SUM,
              .items = {0},
              .n_items = 1}},
    .n_sums = 2};

static struct profile p;

static int fresh(void **state)
{
    (void)state;
    p = (struct profile){.instrument = &SMALL};
    return 0;
}

static void add(const char *given)
{
    struct sto_err err = {0};
    if (profile_add(&p, given, &err) != 0) {
        fail_msg("%s", err.what);
    }
}

static char *file_with(const char *text)
{
    char *path = sto_xstrdup("/tmp/saatto-profile-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    return path;
}

static void answers_by_commas_are_beginning_middle_and_end_in_their_order(void **state)
{
    (void)state;
    struct sto_err err = {0};
    int64_t change = 0;
    add("1,1");
    add("2,3");
    assert_int_equal(profile_settle(&p, &err), 0);
    assert_int_equal(p.series[0].point, PROFILE_BEGINNING);
    assert_int_equal(p.series[1].point, PROFILE_END);
    assert_int_equal(p.series[0].scores[0].hundredths, 2500); /* 2 of 8 */
    assert_int_equal(p.series[1].scores[0].hundredths, 6250); /* 5 of 8 */
    assert_true(profile_change(&p, 0, &change));
    assert_int_equal(change, 3750);
    (void)fresh(NULL);
    add("1,1");
    add(",");
    add("4,4");
    assert_int_equal(profile_settle(&p, &err), 0);
    assert_int_equal(p.series[1].point, PROFILE_MIDDLE);
    assert_false(p.series[1].scores[0].known);
    assert_int_equal(profile_add(&p, "1,1", &err), -STO_E_USAGE);
}

static void a_file_names_its_points_in_any_order(void **state)
{
    (void)state;
    struct sto_err err = {0};
    char *path = file_with("q2;who;point;q1\n4;x;end;4\n0;x;beginning;1\n");
    add(path);
    assert_int_equal(profile_settle(&p, &err), 0);
    assert_int_equal(p.n, 2);
    assert_int_equal(p.series[0].point, PROFILE_BEGINNING);
    assert_int_equal(p.series[0].scores[1].hundredths, 100);
    assert_int_equal(p.series[1].scores[1].hundredths, 400);
    (void)remove(path);
    free(path);
}

static void what_does_not_fit_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } wrong[] = {{"point,q1\nend,1\n", "no column 'q2'"},
                 {"point,q1,q2\n", "no filling-in"},
                 {"point,q1,q2\nlast,1,1\n", ":2: point 'last'"},
                 {"point,q1,q2\nend,1,9\n", "'q2'"}};
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        struct sto_err err = {0};
        char *path = file_with(wrong[k].text);
        (void)fresh(NULL);
        assert_int_equal(profile_add(&p, path, &err), -STO_E_MALFORMED);
        if (strstr(err.what, wrong[k].told) == NULL) {
            fail_msg("expected '%s' in: %s", wrong[k].told, err.what);
        }
        (void)remove(path);
        free(path);
    }
    struct sto_err err = {0};
    char *path = file_with("point,q1,q2\nend,1,1\nend,2,2\n");
    (void)fresh(NULL);
    add(path);
    assert_int_equal(profile_settle(&p, &err), -STO_E_USAGE);
    (void)remove(path);
    free(path);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what)) {
        n++;
    }
    return n;
}

static void the_picture_shows_each_known_value_once_and_escapes_texts(void **state)
{
    (void)state;
    struct sto_err err = {0};
    struct sto_buf svg;
    add("1,1");
    add(",");
    add("4,4");
    assert_int_equal(profile_settle(&p, &err), 0);
    sto_buf_init(&svg, 0);
    profile_svg(&p, INSTRUMENT_FI, &svg);
    sto_put_u8(&svg, '\0');
    const char *text = (const char *)svg.data;
    /* legend and two sums; the middle is not known, so its mark stands in the legend alone */
    assert_int_equal(count(text, "r=\"8\""), 3);
    assert_int_equal(count(text, "r=\"4.5\""), 3);
    assert_int_equal(count(text, "l8 8l-8 8"), 1);
    assert_non_null(strstr(text, "Pieni &lt;mittari&gt;"));
    assert_null(strstr(text, "Pieni <"));
    assert_int_equal(count(text, "<text"), count(text, "</text>"));
    assert_non_null(strstr(text, ">–</text>"));
    sto_buf_release(&svg);
}

static void numbers_have_no_needless_decimals(void **state)
{
    (void)state;
    char buf[24];
    assert_string_equal(profile_number(7500, INSTRUMENT_EN, buf), "75");
    assert_string_equal(profile_number(3750, INSTRUMENT_FI, buf), "37,5");
    assert_string_equal(profile_number(8333, INSTRUMENT_EN, buf), "83.33");
    assert_string_equal(profile_number(-305, INSTRUMENT_SV, buf), "-3,05");
    assert_string_equal(profile_number(0, INSTRUMENT_EN, buf), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(answers_by_commas_are_beginning_middle_and_end_in_their_order,
                               fresh),
        cmocka_unit_test_setup(a_file_names_its_points_in_any_order, fresh),
        cmocka_unit_test_setup(what_does_not_fit_is_refused_with_its_line, fresh),
        cmocka_unit_test_setup(the_picture_shows_each_known_value_once_and_escapes_texts, fresh),
        cmocka_unit_test(numbers_have_no_needless_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
