/* SPDX-License-Identifier: EUPL-1.2 */
/* Frames: first byte the type, the rest the body. What decodes is packed again, and decodes again.
 */
#include <stdlib.h>

#include "saatto_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sto_arena_t *arena;
    ProtobufCMessage *m, *again;
    struct sto_err err;
    const uint8_t *p;
    size_t n;
    if (size == 0) {
        return 0;
    }
    if (!arena) {
        arena = sto_arena_new(4 * STO_DECODE_ARENA_BYTES);
    }
    sto_arena_reset(arena);
    if (frame_decode(data[0], data + 1, size - 1, arena, &m, &err) != 0) {
        return 0;
    }
    /* A packed list of zeros may grow when it is written, so only what fits is read again. */
    if (message_pack(m, arena, &p, &n, &err) == 0 &&
        frame_decode(data[0], p, n, arena, &again, &err) != 0) {
        abort();
    }
    return 0;
}
