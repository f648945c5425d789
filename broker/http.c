/* SPDX-License-Identifier: EUPL-1.2 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_file.h"

struct http {
    struct MHD_Daemon *daemon;
    const struct http_state *state;
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, char *text /* consumed */,
                              const char *type)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

    if (r == NULL) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result rc = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return rc;
}

static char *metrics(const struct http_state *s)
{
    return sto_asprintf(
        "# TYPE saatto_up gauge\nsaatto_up{process=\"core\"} %d\nsaatto_up{process=\"gate\"} %d\n"
        "# TYPE saatto_restarts_total counter\nsaatto_restarts_total %u\n%s%s",
        s->core_up, s->gate_up, s->restarts, s->core_metrics != NULL ? s->core_metrics : "",
        s->gate_metrics != NULL ? s->gate_metrics : "");
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **per_request)
{
    const struct http *self = arg;
    const struct http_state *s = self->state;

    (void)version;
    (void)upload;
    (void)per_request;
    *upload_bytes = 0;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, sto_asprintf("only GET\n"), "text/plain");
    }
    if (strcmp(url, "/metrics") == 0) {
        return answer(c, MHD_HTTP_OK, metrics(s), "text/plain; version=0.0.4");
    }
    if (strcmp(url, "/livez") == 0) {
        return answer(c, MHD_HTTP_OK, sto_asprintf("ok\n"), "text/plain");
    }
    if (strcmp(url, "/readyz") == 0) {
        bool ready = s->core_up && s->gate_up && s->core_ready && s->gate_ready;
        bool verbose = MHD_lookup_connection_value_n(c, MHD_GET_ARGUMENT_KIND, "verbose", 7, NULL,
                                                     NULL) == MHD_YES;
        char *text =
            verbose ? sto_asprintf("[%c] core\n[%c] gate\n[%c] shards and configuration%s%s\n"
                                   "[%c] listening%s%s\n%s\n",
                                   s->core_up ? '+' : '-', s->gate_up ? '+' : '-',
                                   s->core_ready ? '+' : '-', s->why[0] != '\0' ? ": " : "", s->why,
                                   s->gate_ready ? '+' : '-', s->gate_why[0] != '\0' ? ": " : "",
                                   s->gate_why, ready ? "ready" : "not ready")
                    : sto_asprintf(ready ? "ready\n" : "not ready\n");
        return answer(c, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, text, "text/plain");
    }
    return answer(c, MHD_HTTP_NOT_FOUND,
                  sto_asprintf("there are /metrics, /livez and /readyz?verbose\n"), "text/plain");
}

static int parse_address(const char *address, struct sockaddr_in *out, struct sto_err *err)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    char *end = NULL;
    long port = colon != NULL ? strtol(colon + 1, &end, 10) : -1;

    if (colon == NULL || end == colon + 1 || *end != '\0' || port < 0 || port > 65535 ||
        (size_t)(colon - address) >= sizeof host) {
        return sto_fail(err, STO_E_CONFIG, "setting 'http' must be host:port, got '%s'", address);
    }
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &out->sin_addr) != 1) {
        return sto_fail(err, STO_E_CONFIG,
                        "setting 'http' must begin with an IPv4 address, got '%s'", address);
    }
    return 0;
}

int http_check(const char *address, struct sto_err *err)
{
    struct sockaddr_in where;

    return parse_address(address, &where, err);
}

int http_new(const char *address, const struct http_state *state, http_t **out, struct sto_err *err)
{
    struct sockaddr_in where;
    int rc = parse_address(address, &where, err);

    if (rc != 0) {
        return rc;
    }
    http_t *self = sto_xcalloc(1, sizeof *self);
    self->state = state;
    self->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, self,
                                    MHD_OPTION_SOCK_ADDR, &where, MHD_OPTION_CONNECTION_LIMIT, 32u,
                                    MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
    if (self->daemon == NULL) {
        free(self);
        return sto_fail(err, STO_E_IO, "could not serve http on '%s': %s", address,
                        strerror(errno));
    }
    *out = self;
    return 0;
}

void http_destroy(http_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    MHD_stop_daemon((*self_p)->daemon);
    free(*self_p);
    *self_p = NULL;
}

int http_fd(const http_t *self)
{
    return MHD_get_daemon_info(self->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void http_run(http_t *self)
{
    MHD_run(self->daemon);
}
