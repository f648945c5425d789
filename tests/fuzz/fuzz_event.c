/* SPDX-License-Identifier: EUPL-1.2 */
/* Events and delivery bodies: what decodes becomes an input of the engine, or is refused. */
#include <stdlib.h>

#include "content.h"
#include "saatto_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sto_arena_t *arena;
    Saatto__V1__Event *ev;
    Saatto__V1__DeliveryBody *body;
    struct outbox_frame frame;
    struct input in;
    struct sto_err err;
    if (!arena) {
        arena = sto_arena_new(4 * STO_DECODE_ARENA_BYTES);
    }
    sto_arena_reset(arena);
    if (event_decode(data, size, arena, &ev, &err) == 0 &&
        event_to_input(ev, arena, &in, &err) == 0 &&
        (in.kind >= EVENT_CLOCK || in.n_fields > STO_MSG_FIELDS_MAX)) {
        abort();
    }
    delivery_decode(data, size, arena, &body, &err);
    if (outbox_unwrap(data, size, &frame, &err) == 0 && frame.n_body > size) {
        abort();
    }
    return 0;
}
