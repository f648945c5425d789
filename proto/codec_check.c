/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One pass over the wire form, led by the descriptor. Lengths and counts that
 * differ from the common ones stand in two small tables. It builds nothing.
 */
#include "codec_check.h"

#include <stdbool.h>
#include <string.h>

#include "saatto/v1/saatto.pb-c.h"
#include "sto_limits.h"

/* Bytes of a string or bytes field; default for strings STO_NAME_BYTES_MAX, for bytes 16. */
static const struct length {
    const ProtobufCMessageDescriptor *message;
    const char *field;
    uint32_t min, max; /* min counts only for a field that is there */
} lengths[] = {
    {&saatto__v1__hello__descriptor, "program", 0, 128},
    {&saatto__v1__field__descriptor, "text", 0, STO_FIELD_BYTES_MAX},
    {&saatto__v1__field__descriptor, "sealed", 0, STO_FIELD_BYTES_MAX},
    {&saatto__v1__event__descriptor, "text", 0, STO_REASON_BYTES_MAX},
    {&saatto__v1__message__descriptor, "body", 1, STO_FRAME_BYTES_MAX},
    {&saatto__v1__events__descriptor, "key_id", 0, 32},
    {&saatto__v1__events__descriptor, "signature", 0, 64},
    {&saatto__v1__result__descriptor, "what", 0, STO_REASON_BYTES_MAX},
    {&saatto__v1__shard_receipt__descriptor, "leaves", 0, STO_FRAME_BYTES_MAX},
    {&saatto__v1__delivery_body__descriptor, "text", 0, STO_REASON_BYTES_MAX},
    {&saatto__v1__delivery_body__descriptor, "message", 0, STO_FIELD_BYTES_MAX},
    {&saatto__v1__delivery_body__descriptor, "message_key", 0, 128},
    {&saatto__v1__delivery__descriptor, "body", 1, STO_FRAME_BYTES_MAX},
    {&saatto__v1__refusal__descriptor, "what", 0, STO_REASON_BYTES_MAX},
};

/* Elements of a repeated field; default 64. */
static const struct count {
    const ProtobufCMessageDescriptor *message;
    const char *field;
    uint32_t max;
} counts[] = {
    {&saatto__v1__hello__descriptor, "versions", 16},
    {&saatto__v1__welcome__descriptor, "watermarks", STO_SHARDS_MAX},
    {&saatto__v1__event__descriptor, "fields", STO_MSG_FIELDS_MAX},
    {&saatto__v1__event__descriptor, "names", STO_WF_ROLES_MAX},
    {&saatto__v1__events__descriptor, "messages", STO_FRAME_MSGS_MAX},
    {&saatto__v1__shard_receipt__descriptor, "results", STO_BATCH_EVENTS_MAX},
    {&saatto__v1__receipts__descriptor, "shards", STO_SHARDS_MAX},
    {&saatto__v1__delivery_body__descriptor, "exits", STO_WF_EXITS_MAX},
    {&saatto__v1__delivery_body__descriptor, "seats", STO_SESSION_SEATS_MAX},
    {&saatto__v1__deliveries__descriptor, "deliveries", STO_FRAME_MSGS_MAX},
    {&saatto__v1__shard_ack__descriptor, "also", STO_SESSION_CREDIT_MSGS},
    {&saatto__v1__shard_ack__descriptor, "defers", STO_SESSION_CREDIT_MSGS},
    {&saatto__v1__ack__descriptor, "shards", STO_SHARDS_MAX},
    {&saatto__v1__clock_idle__descriptor, "sent", STO_SHARDS_MAX},
};

static int bad(struct sto_err *err, const ProtobufCMessageDescriptor *d, const char *field,
               const char *what)
{
    return sto_fail(err, STO_E_MALFORMED, "%s.%s: %s", d->short_name, field, what);
}

static size_t utf8_sequence(const uint8_t *p, size_t n)
{
    uint8_t a = p[0];
    if (a >= 0xc2 && a <= 0xdf && n >= 2) {
        return (p[1] & 0xc0) == 0x80 ? 2 : 0;
    }
    if ((a & 0xf0) == 0xe0 && n >= 3) {
        bool low = a == 0xe0 && p[1] < 0xa0;
        bool surrogate = a == 0xed && p[1] > 0x9f;
        return (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 && !low && !surrogate ? 3 : 0;
    }
    if (a >= 0xf0 && a <= 0xf4 && n >= 4) {
        bool range = !(a == 0xf0 && p[1] < 0x90) && !(a == 0xf4 && p[1] > 0x8f);
        return (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 && range ? 4
                                                                                                : 0;
    }
    return 0;
}

bool codec_utf8_valid(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (p[i] < 0x80) {
            bool control = p[i] < 0x20 && p[i] != '\t' && p[i] != '\n' && p[i] != '\r';
            if (control || p[i] == 0x7f) {
                return false;
            }
            i++;
            continue;
        }
        size_t len = utf8_sequence(p + i, n - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

static bool get_varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70 && *p < end; shift += 7) {
        uint8_t b = *(*p)++;
        if (shift == 63 && b > 1) {
            return false;
        }
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *d, uint32_t id,
                                                  unsigned *ix)
{
    /* Our field numbers start at 1 without holes; fall back to a search if one day they do not. */
    if (id >= 1 && id <= d->n_fields && d->fields[id - 1].id == id) {
        *ix = id - 1;
        return &d->fields[id - 1];
    }
    for (unsigned i = 0; i < d->n_fields; i++) {
        if (d->fields[i].id == id) {
            *ix = i;
            return &d->fields[i];
        }
    }
    return NULL;
}

static unsigned wire_type_of(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
    default:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    }
}

static bool value_in_range(const ProtobufCFieldDescriptor *f, uint64_t v)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return v <= 1;
    case PROTOBUF_C_TYPE_ENUM:
        return v <= INT32_MAX && protobuf_c_enum_descriptor_get_value(f->descriptor, (int)v);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        return v <= UINT32_MAX;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
    default:
        return true;
    }
}

static uint32_t count_max(const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *f)
{
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (counts[i].message == d && strcmp(counts[i].field, f->name) == 0) {
            return counts[i].max;
        }
    }
    return 64;
}

static int check_length(const ProtobufCMessageDescriptor *d, const ProtobufCFieldDescriptor *f,
                        size_t n, struct sto_err *err)
{
    bool string = f->type == PROTOBUF_C_TYPE_STRING;
    uint32_t min = string ? 0 : 16, max = string ? STO_NAME_BYTES_MAX : 16;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        if (lengths[i].message == d && strcmp(lengths[i].field, f->name) == 0) {
            min = lengths[i].min;
            max = lengths[i].max;
        }
    }
    if (n != 0 && n < min) {
        return bad(err, d, f->name, "too short");
    }
    if (n > max) {
        return sto_fail(err, STO_E_LIMIT, "%s.%s: %zu bytes, at most %u", d->short_name, f->name, n,
                        max);
    }
    return 0;
}

struct walk {
    const ProtobufCMessageDescriptor *d;
    const uint8_t *p, *end;
    unsigned depth;
    uint32_t seen[CODEC_FIELDS_MAX];
    uint32_t oneof_offset; /* quantifier of the oneof that has been set */
};

static int walk_message(struct walk *w, struct sto_err *err);

static int walk_packed(const struct walk *w, const ProtobufCFieldDescriptor *f, const uint8_t *p,
                       size_t n, uint32_t *count, struct sto_err *err)
{
    const uint8_t *end = p + n;
    while (p < end) {
        uint64_t v;
        if (!get_varint(&p, end, &v) || !value_in_range(f, v)) {
            return bad(err, w->d, f->name, "not a number of its range");
        }
        (*count)++;
    }
    return 0;
}

static int walk_bytes(struct walk *w, const ProtobufCFieldDescriptor *f, unsigned ix,
                      struct sto_err *err)
{
    uint64_t n;
    if (!get_varint(&w->p, w->end, &n) || n > (uint64_t)(w->end - w->p)) {
        return bad(err, w->d, f->name, "longer than its message");
    }
    const uint8_t *p = w->p;
    w->p += n;
    if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
        struct walk in = {.d = f->descriptor, .p = p, .end = p + n, .depth = w->depth + 1};
        return walk_message(&in, err);
    }
    if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_BYTES) {
        w->seen[ix]--; /* a packed list counts by its elements */
        return walk_packed(w, f, p, (size_t)n, &w->seen[ix], err);
    }
    int rc = check_length(w->d, f, (size_t)n, err);
    if (rc == 0 && f->type == PROTOBUF_C_TYPE_STRING && !codec_utf8_valid(p, (size_t)n)) {
        return bad(err, w->d, f->name, "not UTF-8 text");
    }
    return rc;
}

static int walk_value(struct walk *w, const ProtobufCFieldDescriptor *f, unsigned ix,
                      unsigned wire_type, struct sto_err *err)
{
    bool packable =
        f->label == PROTOBUF_C_LABEL_REPEATED && wire_type_of(f) == PROTOBUF_C_WIRE_TYPE_VARINT;
    bool packed = packable && wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (wire_type != wire_type_of(f) && !packed) {
        return bad(err, w->d, f->name, "another type on the wire");
    }
    if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        return walk_bytes(w, f, ix, err);
    }
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
        uint64_t v;
        return get_varint(&w->p, w->end, &v) && value_in_range(f, v)
                   ? 0
                   : bad(err, w->d, f->name, "not a number of its range");
    }
    size_t n = wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
    if ((size_t)(w->end - w->p) < n) {
        return bad(err, w->d, f->name, "longer than its message");
    }
    w->p += n;
    return 0;
}

static int check_again(struct walk *w, const ProtobufCFieldDescriptor *f, unsigned ix,
                       struct sto_err *err)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        return w->seen[ix] > count_max(w->d, f)
                   ? sto_fail(err, STO_E_LIMIT, "%s.%s: more than %u", w->d->short_name, f->name,
                              count_max(w->d, f))
                   : 0;
    }
    if (w->seen[ix] > 1) {
        return bad(err, w->d, f->name, "comes twice");
    }
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        if (w->oneof_offset == f->quantifier_offset) {
            return bad(err, w->d, f->name, "a second value beside it");
        }
        w->oneof_offset = f->quantifier_offset;
    }
    return 0;
}

static int walk_message(struct walk *w, struct sto_err *err)
{
    if (w->depth > CODEC_DEPTH_MAX || w->d->n_fields > CODEC_FIELDS_MAX) {
        return sto_fail(err, STO_E_MALFORMED, "%s: nested too deep", w->d->short_name);
    }
    while (w->p < w->end) {
        uint64_t tag;
        unsigned ix = 0;
        if (!get_varint(&w->p, w->end, &tag) || tag > UINT32_MAX) {
            return sto_fail(err, STO_E_MALFORMED, "%s: broken field tag", w->d->short_name);
        }
        const ProtobufCFieldDescriptor *f = find_field(w->d, (uint32_t)(tag >> 3), &ix);
        if (!f) {
            return sto_fail(err, STO_E_MALFORMED, "%s: unknown field %u", w->d->short_name,
                            (unsigned)(tag >> 3));
        }
        w->seen[ix]++;
        int rc = walk_value(w, f, ix, (unsigned)(tag & 7), err);
        if (rc == 0) {
            rc = check_again(w, f, ix, err);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int codec_check(const ProtobufCMessageDescriptor *desc, const uint8_t *p, size_t n,
                struct sto_err *err)
{
    STO_ASSERT(desc);
    if (n == 0) {
        return 0;
    }
    struct walk w = {.d = desc, .p = p, .end = p + n, .depth = 1};
    return walk_message(&w, err);
}
