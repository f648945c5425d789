/* SPDX-License-Identifier: EUPL-1.2 */
/* How wide text is: the widths of Helvetica and those fonts that are made to its measure, with a
   tenth more for others. */
#include <string.h>

#include "flow_place.h"
#include "sto_buf.h"

/* Of ' ' to '~', in thousandths of the size. */
static const unsigned short WIDTHS[] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

static double char_width(unsigned char c)
{
    return c >= ' ' && c <= '~' ? WIDTHS[c - ' '] : c < 0x80 ? 0 : 600;
}

static bool continues_char(unsigned char c)
{
    return (c & 0xC0u) == 0x80u;
}

static double width_of(const char *s, size_t n, double size)
{
    double w = 0;
    for (size_t i = 0; i < n; i++) {
        w += continues_char((unsigned char)s[i]) ? 0 : char_width((unsigned char)s[i]);
    }
    return w * size * 1.1 / 1000;
}

double place_width(const char *text, double size)
{
    double widest = 0;
    for (const char *p = text;;) {
        size_t n = strcspn(p, "\n");
        double w = width_of(p, n, size);
        widest = w > widest ? w : widest;
        if (p[n] == '\0') {
            return widest;
        }
        p += n + 1;
    }
}

/* How much of s[n] fits: at least one character, whole ones. */
static size_t fits(const char *s, size_t n, double width, double size)
{
    size_t end = 0;
    for (size_t i = 1; i <= n; i++) {
        if (i < n && continues_char((unsigned char)s[i])) {
            continue;
        }
        if (end > 0 && width_of(s, i, size) > width) {
            break;
        }
        end = i;
    }
    return end;
}

static void wrap_line(struct sto_buf *out, const char *s, size_t n, double width, double size)
{
    size_t line = 0; /* bytes on the line so far */
    size_t begun = out->len;
    for (size_t i = 0; i < n;) {
        size_t word = 0;
        while (i + word < n && s[i + word] != ' ') {
            word++;
        }
        double so_far = line > 0 ? width_of((const char *)out->data + begun, line, size) : 0;
        if (line > 0 && so_far + width_of(" ", 1, size) + width_of(s + i, word, size) > width) {
            sto_put_u8(out, '\n');
            begun = out->len;
            line = 0;
        }
        if (line > 0) {
            sto_put_u8(out, ' ');
            line++;
        }
        size_t part = line == 0 ? fits(s + i, word, width, size) : word;
        sto_put_bytes(out, s + i, part);
        line += part;
        i += part;
        while (part == word && i < n && s[i] == ' ') {
            i++;
        }
        if (part < word) {
            sto_put_u8(out, '\n');
            begun = out->len;
            line = 0;
        }
    }
}

const char *place_wrap(const teller_t *t, const char *text, double width, double size)
{
    struct sto_buf out;
    sto_buf_init(&out, 0);
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        wrap_line(&out, p, n, width, size);
        p += n;
        if (*p == '\n') {
            sto_put_u8(&out, '\n');
            p++;
        }
    }
    const char *s = sto_arena_strndup(teller_arena(t), (const char *)out.data, out.len);
    sto_buf_release(&out);
    return s != NULL ? s : "";
}
