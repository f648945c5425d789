/* SPDX-License-Identifier: EUPL-1.2 */
#include "keyfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_uuid.h"

#define KEYFILE_BYTES_MAX 4096

bool keyfile_is_z85(const char *s)
{
    static const char alphabet[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

    return strlen(s) == KEYFILE_Z85 && strspn(s, alphabet) == KEYFILE_Z85;
}

static int private_text(const char *path, char **text, size_t *n, struct sto_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return sto_fail(err, STO_E_NOT_FOUND, "could not read key file '%s': %s", path,
                        strerror(errno));
    }
    if ((st.st_mode & 077) != 0) {
        int rc = sto_fail(err, STO_E_CRYPTO, "key file '%s' is open to others (mode %03o)", path,
                          (unsigned)st.st_mode & 0777u);
        sto_err_fix(err, "chmod 600 '%.150s'", path);
        return rc;
    }
    return sto_file_read(path, KEYFILE_BYTES_MAX, text, n, err);
}

int keyfile_pair_read(const char *path, struct key_pair *out, struct sto_err *err)
{
    char *text = NULL;
    size_t n = 0;
    struct key_pair pair;
    int rc = private_text(path, &text, &n, err);

    if (rc != 0) {
        return rc;
    }
    if (sscanf(text, "%40s %40s", pair.public_key, pair.secret_key) != 2 ||
        !keyfile_is_z85(pair.public_key) || !keyfile_is_z85(pair.secret_key)) {
        rc = sto_fail(err, STO_E_CRYPTO,
                      "key file '%s' does not hold two lines of 40 characters (Z85)", path);
    } else {
        *out = pair;
    }
    sto_wipe(&pair, sizeof pair);
    sto_wipe(text, n);
    free(text);
    return rc;
}

int keyfile_pair_ensure(const char *path, struct key_pair *out, struct sto_err *err)
{
    struct key_pair pair;
    char text[2 * KEYFILE_Z85 + 4];
    int rc = 0;

    if (access(path, F_OK) == 0) {
        rc = keyfile_pair_read(path, &pair, err);
    } else if (zmq_curve_keypair(pair.public_key, pair.secret_key) != 0) {
        return sto_fail(err, STO_E_CRYPTO,
                        "could not make a CURVE key pair: libzmq was built without it");
    } else {
        int n = snprintf(text, sizeof text, "%s\n%s\n", pair.public_key, pair.secret_key);
        rc = sto_file_write(path, text, (size_t)n, 0600, err);
        sto_wipe(text, sizeof text);
    }
    if (rc == 0 && out != NULL) {
        *out = pair;
    }
    sto_wipe(&pair, sizeof pair);
    return rc;
}

int keyfile_secret_read(const char *path, uint8_t out[32], struct sto_err *err)
{
    char *text = NULL;
    size_t n = 0;
    int rc = private_text(path, &text, &n, err);

    if (rc != 0 || text == NULL) {
        return rc;
    }
    text[strcspn(text, "\r\n")] = '\0';
    rc = sto_unhex(text, out, 32, err);
    if (rc != 0) {
        sto_err_context(err, "key file '%s'", path);
    }
    sto_wipe(text, n);
    free(text);
    return rc;
}

int keyfile_secret_ensure(const char *path, uint8_t out[32], struct sto_err *err)
{
    char text[66];

    if (access(path, F_OK) == 0) {
        return keyfile_secret_read(path, out, err);
    }
    sto_random(out, 32);
    sto_hex(out, 32, text);
    text[64] = '\n';
    int rc = sto_file_write(path, text, 65, 0600, err);
    sto_wipe(text, sizeof text);
    return rc;
}
