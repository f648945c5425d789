/* SPDX-License-Identifier: EUPL-1.2 */
#include "settings.h"

const struct sto_setting saattod_settings[] = {
    {"listen", STO_SET_STRING, "tcp://127.0.0.1:7700", 6, 120, "", false,
     "where the gate listens for organisations (ZeroMQ endpoint)"},
    {"http", STO_SET_STRING, "127.0.0.1:7701", 0, 60, "", false,
     "where /metrics, /livez and /readyz are served; empty: nowhere"},
    {"run-dir", STO_SET_PATH, "run", 1, 90, "", false,
     "folder for the sockets between gate and core; one broker each (short: a socket's path has "
     "107 bytes)"},
    {"server-key", STO_SET_PATH, "keys/server.key", 1, 400, "", false,
     "file with the gate's CURVE key pair: two lines, public then secret, Z85"},
    {"dsn", STO_SET_STRING, "dbname=saatto user=saatto_core", 1, 1000, "", false,
     "libpq connection string of the data database"},
    {"keys-dsn", STO_SET_STRING, "dbname=saatto_keys user=saatto_core", 1, 1000, "", false,
     "libpq connection string of the key database"},
    {"batch-events", STO_SET_INT, "1024", 1, 1024, "events", false,
     "a batch closes at so many events"},
    {"cache-cases", STO_SET_INT, "4096", 64, 65536, "cases", false,
     "cases kept in memory; cold ones beyond it are evicted (about 9 KiB each)"},
    {"in-flight", STO_SET_INT, "4096", 64, 8192, "events", false,
     "events that may wait for a commit; beyond it the answer is BUSY"},
    {"commit-timeout", STO_SET_INT, "15000", 1000, 120000, "ms", false,
     "after so long without an answer a commit is in doubt"},
    {"dead-after", STO_SET_INT, "5", 1, 100, "sessions", false,
     "sessions that died on the same delivery before it is set aside"},
    {"gate-memory", STO_SET_INT, "1024", 128, 65536, "MiB", false,
     "address space of the gate; a peer that makes it exceed this ends the gate only"},
    {"capture", STO_SET_PATH, "", 0, 400, "", false,
     "file that gets the parameters of every committed batch, for the benchmark's limit; empty: "
     "off"},
    {0},
};
