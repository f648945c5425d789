/* SPDX-License-Identifier: EUPL-1.2 */
/* Names of events and reasons: one table each, read both ways. */
#include <string.h>

#include "engine.h"

static const char *const event_names[] = {
    [EVENT_START] = "start",
    [EVENT_OFFER] = "offer",
    [EVENT_TAKE_UP] = "take_up",
    [EVENT_REQUEST_INFO] = "request_info",
    [EVENT_GIVE_INFO] = "give_info",
    [EVENT_WAITLIST] = "waitlist",
    [EVENT_PLACE_FREE] = "place_free",
    [EVENT_ACCEPT] = "accept",
    [EVENT_DECLINE] = "decline",
    [EVENT_REDIRECT] = "redirect",
    [EVENT_BOOK] = "book",
    [EVENT_NO_SHOW] = "no_show",
    [EVENT_MET] = "met",
    [EVENT_DISPUTE] = "dispute",
    [EVENT_CONFIRM_TAKEOVER] = "confirm_takeover",
    [EVENT_GIVE_BACK] = "give_back",
    [EVENT_REPORT] = "report",
    [EVENT_WITHDRAW] = "withdraw",
    [EVENT_CANCEL] = "cancel",
    [EVENT_CHECK_IN] = "check_in",
    [EVENT_START_SERVICE] = "start_service",
    [EVENT_INTERRUPT] = "interrupt",
    [EVENT_ANSWER] = "answer",
    [EVENT_CONFIRM_WITHDRAWN] = "confirm_withdrawn",
    [EVENT_ATTENDANCE] = "attendance",
    [EVENT_TASK_RESULT] = "task_result",
    [EVENT_TASK_DECLINE] = "task_decline",
    [EVENT_TASK_TAKE_UP] = "task_take_up",
    [EVENT_MEETING_BOOK] = "meeting_book",
    [EVENT_MEETING_NO_SHOW] = "meeting_no_show",
    [EVENT_MESSAGE] = "message",
    [EVENT_PANEL_ANSWER] = "panel_answer",
    [EVENT_PANEL_POSTPONE] = "panel_postpone",
    [EVENT_PLAN_PART] = "plan_part",
    [EVENT_PLACE_ANSWER] = "place_answer",
    [EVENT_CLIENT_LEFT] = "client_left",
    [EVENT_CLIENT_MOVED] = "client_moved",
    [EVENT_CLIENT_DIED] = "client_died",
    [EVENT_ASKED_FOR] = "asked_for",
    [EVENT_CONSENT_GIVE] = "consent_give",
    [EVENT_CONSENT_WITHDRAW] = "consent_withdraw",
    [EVENT_CONSENT_REFUSE] = "consent_refuse",
    [EVENT_CORRECT] = "correct",
    [EVENT_CLOSE] = "close",
    [EVENT_REASSIGN] = "reassign",
    [EVENT_SUCCEED] = "succeed",
    [EVENT_BASIS_LOST] = "basis_lost",
    [EVENT_MIGRATE] = "migrate",
    [EVENT_SESSION_RECORD] = "session_record",
    [EVENT_SESSION_MOVE] = "session_move",
    [EVENT_GROUP_OPEN] = "group_open",
    [EVENT_QUOTA_RETURN] = "quota_return",
    [EVENT_CLOCK] = "clock",
    [EVENT_MAIL] = "mail",
    [EVENT_RESTARTED] = "restarted",
    [EVENT_PARKED] = "parked",
};

static const char *const reason_names[] = {
    [REASON_NONE] = "",
    [REASON_CAPACITY] = "capacity",
    [REASON_NOT_ELIGIBLE] = "not-eligible",
    [REASON_WRONG_SERVICE] = "wrong-service",
    [REASON_CLIENT_WISH] = "client-wish",
    [REASON_NO_ANSWER] = "no-answer",
    [REASON_NO_SHOW] = "no-show",
    [REASON_EMPLOYED] = "employed",
    [REASON_EDUCATION] = "education",
    [REASON_SICKNESS] = "sickness",
    [REASON_MOVED] = "moved",
    [REASON_PROVIDER] = "provider",
    [REASON_MONEY] = "money",
    [REASON_NO_BASIS] = "no-basis",
    [REASON_WORKFLOW_WENT_ON] = "workflow-went-on",
    [REASON_CONSENT] = "consent",
    [REASON_OTHER] = "other",
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

const char *event_kind_name(enum event_kind k)
{
    return (size_t)k < COUNT(event_names) && event_names[k] ? event_names[k] : "?";
}

enum event_kind event_kind_parse(const char *name)
{
    for (size_t i = 0; i < COUNT(event_names); i++) {
        const char *a = event_names[i], *b = name;
        while (a && *a && (*a == *b || (*a == '_' && *b == '-'))) {
            a++;
            b++;
        }
        if (a && *a == '\0' && *b == '\0') {
            return (enum event_kind)i;
        }
    }
    return (enum event_kind)0;
}

const char *reason_name(enum reason r)
{
    return (size_t)r < COUNT(reason_names) ? reason_names[r] : "?";
}

enum reason reason_parse(const char *name)
{
    for (size_t i = 1; i < COUNT(reason_names); i++) {
        if (strcmp(reason_names[i], name) == 0) {
            return (enum reason)i;
        }
    }
    return REASON_NONE;
}
