/* Decides how `spb watch` lives: when it waits, draws, prints, asks, and ends. What a message changes is left to
 * watch_table.c, how the table looks to watch_screen.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/quota.h"

#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/help.h"
#include "cli/live.h"
#include "cli/number.h"
#include "cli/patience.h"
#include "cli/rebirth_request.h"
#include "cli/text_value.h"
#include "cli/watch_options.h"
#include "cli/watch_screen.h"

/* Not more often than eyes follow; and the ages go on without messages. */
enum { DRAW_MS = 200, AGE_MS = 1000 };
/* Lines about messages that cannot be read: whoever may publish can send any number of them. */
enum { MAX_LINES_PER_S = 10 };

typedef struct watcher {
    watch_options options;
    live *from;
    watch_table *table;
    rebirth_requests *requests; /* NULL: nobody is asked */
    watch_screen screen;
    watch_status status;
    spb_quota bad;     /* lines about messages */
    spb_error reason;  /* why there is no connection */
    spb_error warning; /* the last one, if it could not be told yet, as a table is on the terminal */
    bool is_table;     /* on a terminal */
    bool was_online;   /* once */
    bool is_over;      /* by a key, or as something failed */
    bool has_failed;
    bool has_change; /* since it was drawn */
    uint64_t drawn_ms, end_ms;
    char keys[16]; /* that were read, and are no whole key yet */
    size_t key_len;
    out to;
} watcher;

static void fail(watcher *w, const char *what) {
    w->is_over = w->has_failed = true;
    terminal_leave(&w->to);
    complain("%s", what);
}

/* ---- plain lines ---- */

/* time, source, metric, value, quality: with tabs between, as text_escaped lets none through. */
static void print_line(watcher *w, uint64_t time_ms, const char *source, const char *metric, const char *value,
                       const char *quality) {
    out_claim(&w->to, number_datetime(out_room(&w->to, NUMBER_SIZE), time_ms));
    const char *const parts[] = {source, metric, value, quality};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        out_char(&w->to, '\t');
        out_text(&w->to, parts[i]);
    }
    out_char(&w->to, '\n');
}

static void on_value(const watch_row *row, void *user) {
    watcher *w = user;
    w->has_change = true;
    if (!w->is_table) {
        print_line(w, row->time_ms, row->source, row->metric, row->value, row->quality);
    }
}

static void on_life(const char *source, bool is_online, uint64_t time_ms, void *user) {
    watcher *w = user;
    w->has_change = true;
    if (!w->is_table) {
        print_line(w, time_ms, source, "", is_online ? "online" : "offline", "");
    }
}

static void on_unknown(const spb_topic *node, void *user) {
    watcher *w = user;
    if (w->requests && !rebirth_requests_add(w->requests, node, patience_now_ms())) {
        fail(w, "out of memory");
    }
}

static void tell_left_out(watcher *w, uint64_t now_ms) {
    uint64_t left_out = spb_quota__tell(&w->bad, now_ms);
    if (left_out > 0) {
        complain("unreadable in the same second: %llu more messages", (unsigned long long)left_out);
    }
}

/* What cannot be read would spoil the table. */
static void on_bad(const char *what, void *user) {
    watcher *w = user;
    uint64_t now_ms = patience_now_ms();
    tell_left_out(w, now_ms);
    if (!w->is_table && spb_quota__take(&w->bad, MAX_LINES_PER_S, now_ms)) {
        out_flush(&w->to);
        complain("%s", what);
    }
}

/* ---- events ---- */

static void go_online(watcher *w) {
    w->status.is_online = true;
    w->status.reason = "";
    if (!w->is_table) {
        complain("watching %s", w->status.server);
    }
    if (w->was_online) {
        watch_table_gap(w->table);
    }
    w->was_online = true;
}

/* A server that was never reached is hardly the right one. */
static void go_offline(watcher *w, const spb_error *reason) {
    if (!w->was_online) {
        fail(w, reason->text);
        return;
    }
    w->reason = *reason;
    w->status.is_online = false;
    w->status.reason = w->reason.text;
    if (!w->is_table) {
        out_flush(&w->to);
        complain("%s", reason->text);
    }
}

static void warn(watcher *w, const spb_error *warning) {
    if (w->is_table) {
        w->warning = *warning;
    } else {
        out_flush(&w->to);
        complain("%s", warning->text);
    }
}

static void take_event(watcher *w, const live_event *event) {
    w->has_change = true;
    switch (event->kind) {
    case LIVE_ONLINE: go_online(w); break;
    case LIVE_OFFLINE: go_offline(w, &event->reason); break;
    case LIVE_WARNING: warn(w, &event->reason); break;
    case LIVE_MISSED: watch_table_gap(w->table); break;
    case LIVE_MESSAGE:
        /* What was stored is not what is now. */
        if (!event->retained && !watch_table_message(w->table, event->topic, event->payload, event->time_ms)) {
            fail(w, "out of memory");
        }
        break;
    }
}

static void take_events(watcher *w) {
    live_event event;
    while (!w->is_over && live_next(w->from, &event)) {
        take_event(w, &event);
        if (w->has_change && w->is_table && patience_now_ms() > w->drawn_ms + DRAW_MS) {
            return; /* many come: what is seen is fresh all the same */
        }
    }
    if (!w->is_table) {
        out_flush(&w->to);
    }
    if (w->to.error != 0) {
        w->is_over = true;
        w->has_failed = w->to.error != EPIPE;
    }
}

static void take_keys(watcher *w) {
    ssize_t got = read(STDIN_FILENO, w->keys + w->key_len, sizeof w->keys - w->key_len);
    if (got <= 0) {
        w->is_over = true;
        return;
    }
    size_t len = w->key_len + (size_t)got, at = 0;
    while (at < len && !w->is_over) {
        size_t used;
        char c = w->keys[at];
        terminal_key key = terminal_read_key(w->keys + at, len - at, &used);
        at += used;
        w->is_over = key != KEY_NONE && !watch_screen_key(&w->screen, key, c);
    }
    w->key_len = 0;
    w->has_change = true;
}

/* ---- drawing ---- */

static void draw_if_due(watcher *w) {
    uint64_t now = patience_now_ms();
    if (patience_is_resized()) {
        terminal_size(&w->screen.rows, &w->screen.columns);
        w->has_change = true;
    }
    bool is_due = w->has_change ? now >= w->drawn_ms + DRAW_MS : now >= w->drawn_ms + AGE_MS;
    if (!w->is_table || !is_due || w->is_over) {
        return;
    }
    if (!watch_screen_draw(&w->screen, w->table, &w->status, patience_unix_ms(), &w->to)) {
        fail(w, "out of memory");
        return;
    }
    out_flush(&w->to);
    w->drawn_ms = now;
    w->has_change = false;
}

static int sooner(int a, int b) {
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int until(uint64_t then_ms, uint64_t now_ms) {
    return then_ms > now_ms ? (int)(then_ms - now_ms < 1000000 ? then_ms - now_ms : 1000000) : 0;
}

static int wait_limit(watcher *w, int request_ms) {
    uint64_t now = patience_now_ms();
    int limit = sooner(live_wait_ms(w->from), request_ms);
    if (w->is_table) {
        limit = sooner(limit, until(w->drawn_ms + (w->has_change ? DRAW_MS : AGE_MS), now));
    }
    uint64_t left_out_ms = spb_quota__due_ms(&w->bad);
    if (left_out_ms < UINT64_MAX) {
        limit = sooner(limit, until(left_out_ms, now));
    }
    return w->end_ms > 0 ? sooner(limit, until(w->end_ms, now)) : limit;
}

static void run(watcher *w) {
    while (!w->is_over && !patience_is_over() && (w->end_ms == 0 || patience_now_ms() < w->end_ms)) {
        int request_ms =
            w->requests ? rebirth_requests_send(w->requests, w->table, w->from, patience_now_ms(), patience_unix_ms())
                        : -1;
        bool has_events, has_keys;
        patience_wait(live_fd(w->from), w->is_table ? STDIN_FILENO : -1, wait_limit(w, request_ms), &has_events,
                      &has_keys);
        take_events(w);
        tell_left_out(w, patience_now_ms());
        if (has_keys) {
            take_keys(w);
        }
        draw_if_due(w);
    }
}

/* ---- the command ---- */

static bool set_up(watcher *w) {
    const watch_listener listener = {on_value, on_life, on_unknown, on_bad, w};
    w->table = watch_table_new(&w->options.wanted, &listener);
    if (w->options.wants_rebirth) {
        w->requests = rebirth_requests_new(patience_unix_ms() * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)getpid());
    }
    return w->table && (w->requests || !w->options.wants_rebirth);
}

static int watch(watcher *w) {
    spb_error err;
    if (!set_up(w)) {
        fail(w, "out of memory");
        return CLI_FAILED;
    }
    patience_begin();
    spb_status status = live_new(&w->from, w->options.server, &w->options.mqtt, &err);
    if (status != SPB_OK) {
        fail(w, err.text);
        return status == SPB_ERR_ARGUMENT ? CLI_USAGE : CLI_FAILED;
    }
    w->status = (watch_status){w->options.server, false, ""};
    w->end_ms = w->options.duration_s > 0 ? patience_now_ms() + 1000 * w->options.duration_s : 0;
    w->is_table = !w->options.is_plain && terminal_enter(&w->to);
    if (w->is_table) {
        terminal_size(&w->screen.rows, &w->screen.columns);
    }
    run(w);
    terminal_leave(&w->to);
    out_flush(&w->to);
    tell_left_out(w, UINT64_MAX);
    if (w->warning.text[0] != '\0') {
        complain("%s", w->warning.text);
    }
    return w->has_failed ? CLI_FAILED : CLI_OK;
}

int cmd_watch(int argc, char **argv) {
    watcher *w = calloc(1, sizeof *w);
    if (!w) {
        complain("out of memory");
        return CLI_FAILED;
    }
    int result = watch_options_read(argc, argv, &w->options);
    if (result == CLI_OK && w->options.wants_help) {
        fputs(help_watch, stdout);
    } else if (result == CLI_OK && w->options.wants_mqtt_help) {
        fputs(help_mqtt, stdout);
    } else if (result == CLI_OK) {
        signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
        out_init(&w->to, STDOUT_FILENO);
        result = watch(w);
    }
    live_free(w->from);
    watch_table_free(w->table);
    rebirth_requests_free(w->requests);
    watch_screen_clear(&w->screen);
    free(w);
    return result;
}
