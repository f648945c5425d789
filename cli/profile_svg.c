/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A profile as a picture: one row for each sum, its range as a line, a mark for each point in time,
 * and the figures beside it. Marks differ in shape and size as well as in colour, and lie over one
 * another when values are the same: ring, diamond, dot from the outside in.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profile.h"

#define WIDTH       960
#define LABEL_X     24
#define LABEL_CHARS 38 /* of one line; a label takes two at most */
#define PLOT_X      340
#define PLOT_W      380
#define VALUE_X     812 /* right edge of the first figure */
#define VALUE_W     62
#define HEAD_H      112
#define ROW_H       38
#define AREA_H      30
#define FOOT_H      28

static const char *const INK[PROFILE_SERIES_MAX] = {"#5b6470", "#b45309", "#0b5394"};

static void put(struct sto_buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct sto_buf *out, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sto_put_bytes(out, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_text(struct sto_buf *out, const char *s, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const char *e = s[k] == '&' ? "&amp;" : s[k] == '<' ? "&lt;" : s[k] == '>' ? "&gt;" : NULL;
        sto_put_bytes(out, e != NULL ? e : &s[k], e != NULL ? strlen(e) : 1);
    }
}

static void label(struct sto_buf *out, int x, int y, const char *attributes, const char *s,
                  size_t n)
{
    put(out, "<text x=\"%d\" y=\"%d\" %s>", x, y, attributes);
    put_text(out, s, n);
    put(out, "</text>\n");
}

/* Bytes of the first line of a label: all, or up to a blank before the limit. */
static size_t first_line(const char *s)
{
    size_t chars = 0, at = 0, blank = 0;
    for (; s[at] != '\0' && chars < LABEL_CHARS; at++) {
        chars += ((unsigned char)s[at] & 0xc0u) != 0x80u;
        blank = s[at] == ' ' ? at : blank;
    }
    return s[at] == '\0' || blank == 0 ? strlen(s) : blank;
}

/* ---------------------------------------------------------------------- marks */

static double place(const struct instrument *t, const struct instrument_sum *s, int64_t hundredths)
{
    int64_t least, greatest;
    instrument_range(t, s, &least, &greatest);
    return PLOT_X + PLOT_W * (double)(hundredths - least) / (double)(greatest - least);
}

static void mark(struct sto_buf *out, int point, double x, double y)
{
    switch (point) {
    case PROFILE_BEGINNING:
        put(out,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"8\" fill=\"#ffffff\" stroke=\"%s\" "
            "stroke-width=\"2.5\"/>\n",
            x, y, INK[point]);
        break;
    case PROFILE_MIDDLE:
        put(out, "<path d=\"M%.1f %.1fl8 8l-8 8l-8 -8z\" fill=\"%s\"/>\n", x, y - 8, INK[point]);
        break;
    default:
        put(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"%s\"/>\n", x, y, INK[point]);
        break;
    }
}

/* ----------------------------------------------------------------------- head */

static bool all_percent(const struct instrument *t)
{
    for (unsigned k = 0; k < t->n_sums; k++) {
        if (t->sums[k].scale != SCALE_PERCENT) {
            return false;
        }
    }
    return true;
}

static void head(const struct profile *p, int lang, int height, struct sto_buf *out)
{
    const char *title = p->instrument->title[lang];

    put(out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
        "height=\"%d\" role=\"img\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" "
        "font-size=\"14\" fill=\"#1f2933\">\n<title>",
        WIDTH, height, WIDTH, height);
    put_text(out, title, strlen(title));
    put(out, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", WIDTH, height);
    label(out, LABEL_X, 38, "font-size=\"20\" font-weight=\"600\"", title, strlen(title));
    for (unsigned k = 0; k < p->n; k++) {
        const char *name = profile_point_name(p->series[k].point, lang);
        int x = PLOT_X + (int)k * 130;
        if (p->n > 1) { /* a single one needs no legend */
            mark(out, p->series[k].point, x, 67);
            label(out, x + 16, 72, "", name, strlen(name));
        }
        label(out, VALUE_X + (int)k * VALUE_W, HEAD_H - 8,
              "font-size=\"12\" fill=\"#52606d\" text-anchor=\"end\"", name, strlen(name));
    }
}

static void grid(int height, bool percent, struct sto_buf *out)
{
    for (int k = 0; k <= 4; k++) {
        char text[8];
        int x = PLOT_X + k * PLOT_W / 4;
        put(out, "<path d=\"M%d %dV%d\" stroke=\"#e1e6eb\" stroke-width=\"1\"/>\n", x, HEAD_H,
            height - FOOT_H);
        if (percent) {
            snprintf(text, sizeof text, "%d", k * 25);
            label(out, x, HEAD_H - 8, "font-size=\"12\" fill=\"#52606d\" text-anchor=\"middle\"",
                  text, strlen(text));
        }
    }
}

/* ----------------------------------------------------------------------- rows */

static void values(const struct profile *p, unsigned sum, int lang, int y, struct sto_buf *out)
{
    for (unsigned k = 0; k < p->n; k++) {
        char text[24];
        const struct score *s = &p->series[k].scores[sum];
        const char *shown = s->known ? profile_number(s->hundredths, lang, text) : "–";
        label(out, VALUE_X + (int)k * VALUE_W, y + 5, "text-anchor=\"end\"", shown, strlen(shown));
    }
}

static void range_labels(const struct instrument *t, const struct instrument_sum *s, int lang,
                         int y, struct sto_buf *out)
{
    char text[24];
    int64_t least, greatest;
    instrument_range(t, s, &least, &greatest);
    const char *shown = profile_number(least, lang, text);
    label(out, PLOT_X - 12, y + 4, "font-size=\"11\" fill=\"#52606d\" text-anchor=\"end\"", shown,
          strlen(shown));
    shown = profile_number(greatest, lang, text);
    label(out, PLOT_X + PLOT_W + 12, y + 4, "font-size=\"11\" fill=\"#52606d\"", shown,
          strlen(shown));
}

static void row(const struct profile *p, unsigned sum, int lang, int y, struct sto_buf *out)
{
    const struct instrument_sum *s = &p->instrument->sums[sum];
    const char *name = s->label[lang];
    size_t first = first_line(name);
    bool two = name[first] != '\0';
    int64_t change;

    label(out, LABEL_X, two ? y - 3 : y + 5, two ? "font-size=\"12.5\"" : "", name, first);
    if (two) {
        label(out, LABEL_X, y + 12, "font-size=\"12.5\"", name + first + 1,
              strlen(name + first + 1));
    }
    put(out, "<path d=\"M%d %dh%d\" stroke=\"#c3ccd5\" stroke-width=\"1\"/>\n", PLOT_X, y, PLOT_W);
    if (!all_percent(p->instrument)) {
        range_labels(p->instrument, s, lang, y, out);
    }
    if (profile_change(p, sum, &change)) {
        double from = place(p->instrument, s, p->series[0].scores[sum].hundredths);
        double to = place(p->instrument, s, p->series[p->n - 1].scores[sum].hundredths);
        put(out, "<path d=\"M%.1f %dL%.1f %d\" stroke=\"%s\" stroke-width=\"3\"/>\n", from, y, to,
            y, "#9fb3c8");
    }
    for (unsigned k = 0; k < p->n; k++) {
        const struct score *x = &p->series[k].scores[sum];
        if (x->known) {
            mark(out, p->series[k].point, place(p->instrument, s, x->hundredths), y);
        }
    }
    values(p, sum, lang, y, out);
}

void profile_svg(const struct profile *p, int lang, struct sto_buf *out)
{
    const struct instrument *t = p->instrument;
    int height = HEAD_H + FOOT_H;
    const char *area = "";

    for (unsigned k = 0; k < t->n_sums; k++) {
        bool heading = *t->sums[k].area != '\0' && strcmp(t->sums[k].area, area) != 0;
        area = t->sums[k].area;
        height += ROW_H + (heading ? AREA_H : 0);
    }
    head(p, lang, height, out);
    grid(height, all_percent(t), out);
    int y = HEAD_H;
    area = "";
    for (unsigned k = 0; k < t->n_sums; k++) {
        if (*t->sums[k].area != '\0' && strcmp(t->sums[k].area, area) != 0) {
            label(out, LABEL_X, y + 22, "font-weight=\"600\"", t->sums[k].area,
                  strlen(t->sums[k].area));
            y += AREA_H;
        }
        area = t->sums[k].area;
        row(p, k, lang, y + ROW_H / 2, out);
        y += ROW_H;
    }
    put(out, "</svg>\n");
}
