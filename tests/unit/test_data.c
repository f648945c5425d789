/* SPDX-License-Identifier: EUPL-1.2 */
/* Field values: the two identifiers, every type and limit, and the codec. */
#include "model_fixture.h"

#include "data.h"

static network_t *net;
static workflow_t *w;

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    net = load_network(NETWORK_TEXT);
    sto_diags_t *d = sto_diags_new();
    w = load_workflow(WORKFLOW_TEXT, net, d);
    sto_diags_destroy(&d);
    assert_non_null(w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workflow_destroy(&w);
    network_destroy(&net);
    return 0;
}

static void henkilotunnus_needs_a_real_date_and_the_right_character(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool valid;
    } TABLE[] = {
        {"010594Y9032", true},
        {"020516C903K", true},
        {"010190-900P", true},
        {"131052-308T", true},
        {"131052-308U", false},
        {"131052+308T", true},
        {"131052A308T", true},
        {"131052a308T", false},
        {"131052-308t", false},
        {"131052 308T", false},
        {"131052-308", false},
        {"131052-308TT", false},
        {"131052-30ST", false},
        {"310299-900P", false},
        {"000190-900P", false},
        {"011390-900P", false},
        {"131052G308T", false},
        {"131052Z308T", false},
        {"", false},
        {"010594-9032", true},
        {"010594U9032", true},
        {"010594A9032", true},
        {"010594F9032", true},
    };
    for (size_t k = 0; k < sizeof(TABLE) / sizeof(TABLE[0]); k++) {
        if (hetu_valid(TABLE[k].s) != TABLE[k].valid) {
            fail_msg("'%s' should be %s", TABLE[k].s, TABLE[k].valid ? "valid" : "invalid");
        }
    }
    assert_false(hetu_valid(NULL));
}

static void leap_days_count_in_their_century_only(void **state)
{
    (void)state;
    /* 29.2.2000 exists, 29.2.1900 does not; the check character does not see the mark. */
    static const char CHECK[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    char s[12] = "290200A900?";
    s[10] = CHECK[290200900 % 31];
    assert_true(hetu_valid(s));
    s[6] = '-';
    assert_false(hetu_valid(s));
    s[6] = '+';
    assert_false(hetu_valid(s));
}

static void individual_numbers_begin_at_two(void **state)
{
    (void)state;
    static const char CHECK[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    for (int n = 0; n < 4; n++) {
        char s[16];
        (void)snprintf(s, sizeof(s), "010190-%03d%c", n, CHECK[(10190000 + n) % 31]);
        assert_int_equal(hetu_valid(s), n >= 2);
    }
}

static void business_id_needs_its_check_digit(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool valid;
    } TABLE[] = {
        {"0737546-2", true},  {"0201256-6", true}, {"0245458-3", true},  {"1572860-0", true},
        {"0737546-1", false}, {"07375462", false}, {"737546-2", false},  {"0737546-22", false},
        {"0737546+2", false}, {"", false},         {"073754a-2", false}, {"0737546-a", false},
    };
    for (size_t k = 0; k < sizeof(TABLE) / sizeof(TABLE[0]); k++) {
        assert_int_equal(business_id_valid(TABLE[k].s), TABLE[k].valid);
    }
    assert_false(business_id_valid(NULL));
    /* a remainder of 1 is never issued, whatever stands behind the hyphen */
    unsigned never = 0;
    for (int n = 0; n < 1000; n++) {
        unsigned valid = 0;
        for (int t = 0; t < 10; t++) {
            char s[16];
            (void)snprintf(s, sizeof(s), "%07d-%d", n, t);
            valid += business_id_valid(s);
        }
        assert_true(valid <= 1);
        never += valid == 0;
    }
    assert_in_range(never, 80, 100);
}

static struct in_field text_in(const char *name, const char *s)
{
    return (struct in_field){
        .name = name, .type = IN_TEXT, .s = (const uint8_t *)s, .n = (uint32_t)strlen(s)};
}

static void every_type_takes_its_values_and_no_others(void **state)
{
    (void)state;
    char long_text[102];
    memset(long_text, 'x', 101);
    long_text[101] = '\0';
    const struct {
        struct in_field in;
        int rc;
        int64_t i;
    } TABLE[] = {
        {{"days", IN_INT, 0, NULL, 0}, 0, 0},
        {{"days", IN_INT, INT64_MAX, NULL, 0}, 0, INT64_MAX},
        {{"days", IN_INT, -1, NULL, 0}, -STO_E_FIELD, 0},
        {{"days", IN_BOOL, 1, NULL, 0}, -STO_E_FIELD, 0},
        {text_in("days", "3"), -STO_E_FIELD, 0},
        {{"days", IN_SEALED, 0, (const uint8_t *)"x", 1}, -STO_E_FIELD, 0},
        {{"valid", IN_BOOL, 1, NULL, 0}, 0, 1},
        {{"valid", IN_INT, 1, NULL, 0}, -STO_E_FIELD, 0},
        {text_in("need", "study"), 0, 1},
        {text_in("need", "Study"), -STO_E_FIELD, 0},
        {text_in("need", ""), -STO_E_FIELD, 0},
        {{"need", IN_INT, 1, NULL, 0}, -STO_E_FIELD, 0},
        {{"need", IN_TEXT, 0, (const uint8_t *)"study\0", 6}, -STO_E_FIELD, 0},
        {text_in("notes", "ä ö € 𝄞\n"), 0, 0},
        {text_in("notes", ""), 0, 0},
        {{"notes", IN_TEXT, 0, NULL, 0}, 0, 0},
        {text_in("notes", long_text), -STO_E_FIELD, 0},
        {text_in("notes", "bell\a"), -STO_E_FIELD, 0},
        {text_in("notes", "\xc3"), -STO_E_FIELD, 0},
        {text_in("notes", "\xc0\xaf"), -STO_E_FIELD, 0},
        {text_in("notes", "\xed\xa0\x80"), -STO_E_FIELD, 0},
        {text_in("notes", "\xf5\x80\x80\x80"), -STO_E_FIELD, 0},
        {text_in("ends", "2020-02-29"), 0, 18321},
        {text_in("ends", "2021-02-29"), -STO_E_FIELD, 0},
        {text_in("ends", "1999-12-31"), -STO_E_FIELD, 0},
        {text_in("ends", "2031-01-01"), -STO_E_FIELD, 0},
        {text_in("ends", "tomorrow"), -STO_E_FIELD, 0},
        {text_in("number", "010190-900P"), 0, 0},
        {text_in("number", "010190-900R"), -STO_E_FIELD, 0},
        {{"hetu", IN_SEALED, 0, (const uint8_t *)"\0\1\2", 3}, 0, 0},
        {text_in("hetu", "010190-900P"), -STO_E_FIELD, 0},
        {text_in("hetuu", "x"), -STO_E_UNKNOWN_NAME, 0},
    };
    for (size_t k = 0; k < sizeof(TABLE) / sizeof(TABLE[0]); k++) {
        unsigned ix = 999;
        struct field_value v = {0};
        struct sto_err err = {0};
        int rc = field_check(w, &TABLE[k].in, &ix, &v, &err);
        if (rc != TABLE[k].rc || (rc == 0 && v.i != TABLE[k].i)) {
            fail_msg("row %zu, field '%s': got %d '%s'", k, TABLE[k].in.name, rc, err.what);
        }
        assert_int_equal(rc == 0, v.set);
        assert_int_equal(rc == 0, ix != 999);
        assert_int_equal(rc != 0, err.what[0] != '\0');
    }
}

static void errors_quote_names_but_never_values(void **state)
{
    (void)state;
    struct sto_err err = {0};
    unsigned ix;
    struct field_value v;
    struct in_field in = text_in("need", "secret-thing");
    assert_int_equal(field_check(w, &in, &ix, &v, &err), -STO_E_FIELD);
    assert_null(strstr(err.what, "secret"));
    assert_null(strstr(err.fix, "secret"));
    in = text_in("nede", "x");
    assert_int_equal(field_check(w, &in, &ix, &v, &err), -STO_E_UNKNOWN_NAME);
    assert_non_null(strstr(err.fix, "need"));
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    struct case_data d = {0}, back = {0};
    d.v[0] = (struct field_value){.set = true, .type = FIELD_INTEGER, .i = INT64_MIN};
    d.v[1] = (struct field_value){
        .set = true, .type = FIELD_HETU, .s = (const uint8_t *)"\0\xff", .n = 2};
    d.v[4] =
        (struct field_value){.set = true, .type = FIELD_TEXT, .s = (const uint8_t *)"", .n = 0};
    d.v[63] = (struct field_value){.set = true, .type = FIELD_DATE, .i = -5};
    struct sto_buf b;
    struct sto_err err = {0};
    sto_buf_init(&b, 0);
    data_encode(&d, &b);
    assert_false(b.failed);
    assert_int_equal(data_decode(b.data, b.len, &back, &err), 0);
    for (unsigned k = 0; k < STO_WF_FIELDS_MAX; k++) {
        assert_int_equal(back.v[k].set, d.v[k].set);
        assert_int_equal(back.v[k].type, d.v[k].type);
        assert_int_equal(back.v[k].i, d.v[k].i);
        assert_int_equal(back.v[k].n, d.v[k].n);
        assert_int_equal(back.v[k].s != NULL, d.v[k].s != NULL);
    }
    assert_memory_equal(back.v[1].s, "\0\xff", 2);
    for (size_t n = 1; n < b.len; n++) {
        assert_int_equal(data_decode(b.data, n, &back, &err), -STO_E_MALFORMED);
    }
    sto_buf_release(&b);
}

static void nothing_decodes_to_nothing_and_garbage_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } BAD[] = {
        {"\2\0", 2},
        {"\1", 1},
        {"\1\1", 2},
        {"\1\1\0\1", 4},
        {"\1\0x", 3},
        {"\1\1\100\1\0", 5},
        {"\1\1\0\0\0", 5},
        {"\1\1\0\11\0", 5},
        {"\1\2\1\1\0\0\1\0", 8},
        {"\1\2\1\1\0\1\1\0", 8},
        {"\1\1\0\204\377\377\377\377\17", 9},
        {"\1\1\0\4\0", 5},
        {"\1\101", 2},
    };
    struct case_data d;
    struct sto_err err = {0};
    assert_int_equal(data_decode(NULL, 0, &d, &err), 0);
    assert_false(d.v[0].set);
    assert_int_equal(data_decode((const uint8_t *)"\1\0", 2, &d, &err), 0);
    for (size_t k = 0; k < sizeof(BAD) / sizeof(BAD[0]); k++) {
        assert_int_equal(data_decode((const uint8_t *)BAD[k].p, BAD[k].n, &d, &err),
                         -STO_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(henkilotunnus_needs_a_real_date_and_the_right_character),
        cmocka_unit_test(leap_days_count_in_their_century_only),
        cmocka_unit_test(individual_numbers_begin_at_two),
        cmocka_unit_test(business_id_needs_its_check_digit),
        cmocka_unit_test(every_type_takes_its_values_and_no_others),
        cmocka_unit_test(errors_quote_names_but_never_values),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(nothing_decodes_to_nothing_and_garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
