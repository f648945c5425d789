/* SPDX-License-Identifier: EUPL-1.2 */
/* One GET over HTTP/1.0, for /metrics and /readyz of this machine. No redirects, no TLS, no chunks.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "client.h"
#include "sto_buf.h"

#define ANSWER_BYTES_MAX (4u << 20)
#define TIMEOUT_S        3

static int connect_to(const char *address, struct sto_err *err)
{
    char host[128];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    const struct timeval limit = {.tv_sec = TIMEOUT_S};
    int fd = -1;

    if (colon == NULL || (size_t)(colon - address) >= sizeof host) {
        return sto_fail(err, STO_E_CONFIG, "'%s' is not host:port", address);
    }
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &list) == 0) {
        fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0) {
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
            if (connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
                close(fd);
                fd = -1;
            }
        }
        freeaddrinfo(list);
    }
    return fd >= 0 ? fd : sto_fail(err, STO_E_UNREACHABLE, "http://%s does not answer", address);
}

int http_fetch(const char *address, const char *path, int *status, char **body, struct sto_err *err)
{
    char request[512], chunk[4096];
    struct sto_buf b;
    ssize_t got;
    int fd = connect_to(address, err);

    if (fd < 0) {
        return fd;
    }
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path, address);
    sto_buf_init(&b, ANSWER_BYTES_MAX);
    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) == n) {
        while ((got = recv(fd, chunk, sizeof chunk, 0)) > 0) {
            sto_put_bytes(&b, chunk, (size_t)got);
        }
    }
    close(fd);
    sto_put_u8(&b, 0);
    char *head_end = b.failed || b.data == NULL ? NULL : strstr((char *)b.data, "\r\n\r\n");
    int rc = 0;
    const char *code = head_end != NULL ? strchr((char *)b.data, ' ') : NULL;
    if (code == NULL || strncmp((char *)b.data, "HTTP/", 5) != 0) {
        rc = sto_fail(err, STO_E_UNREACHABLE, "http://%s%s gave no answer", address, path);
    } else {
        *status = (int)strtol(code, NULL, 10);
        *body = strdup(head_end + 4);
    }
    sto_buf_release(&b);
    return rc;
}

double metric_value(const char *metrics, const char *name)
{
    char key[192];

    snprintf(key, sizeof key, "\n%s ", name);
    const char *at = strstr(metrics, key);
    return at != NULL ? strtod(at + strlen(key), NULL) : 0;
}

unsigned metric_connected(const char *metrics, const char *organisation)
{
    char name[160];

    snprintf(name, sizeof name, "saatto_adapter_connected{org=\"%s\"}", organisation);
    return metrics != NULL ? (unsigned)metric_value(metrics, name) : 0;
}
