/* Decides lines and columns of the table, and what keys do to it. */
#include "cli/watch_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { HEAD_ROWS = 2, FOOT_ROWS = 1, QUALITY_WIDTH = 7, AGE_WIDTH = 5, GAP = 2 };

void watch_screen_clear(watch_screen *s) {
    free(s->order);
    s->order = NULL;
    s->count = s->capacity = 0;
}

static size_t body_rows(const watch_screen *s) {
    return s->rows > HEAD_ROWS + FOOT_ROWS ? s->rows - HEAD_ROWS - FOOT_ROWS : 0;
}

/* ---- which rows, and their order ---- */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains(const char *where, const char *what) {
    for (; *where; where++) {
        size_t i = 0;
        while (what[i] && lower(where[i]) == lower(what[i])) {
            i++;
        }
        if (!what[i]) {
            return true;
        }
    }
    return !*what;
}

static int by_name(const void *a, const void *b) {
    const watch_row *left = *(const watch_row *const *)a, *right = *(const watch_row *const *)b;
    int order = strcmp(left->source, right->source);
    return order != 0 ? order : strcmp(left->metric, right->metric);
}

/* The newest first. */
static int by_age(const void *a, const void *b) {
    const watch_row *left = *(const watch_row *const *)a, *right = *(const watch_row *const *)b;
    return left->time_ms != right->time_ms ? (left->time_ms < right->time_ms ? 1 : -1) : by_name(a, b);
}

static int trouble(const watch_row *row) {
    return row->is_stale ? 2 : *row->quality && strcmp(row->quality, "GOOD") != 0 ? 3 : 1;
}

/* What is not good first. */
static int by_quality(const void *a, const void *b) {
    int left = trouble(*(const watch_row *const *)a), right = trouble(*(const watch_row *const *)b);
    return left != right ? right - left : by_name(a, b);
}

static bool order_rows(watch_screen *s, const watch_table *t) {
    static int (*const orders[SORT_COUNT])(const void *, const void *) = {by_name, by_age, by_quality};
    size_t all = watch_table_count(t);
    if (all > s->capacity) {
        const watch_row **order = realloc(s->order, (all + all / 2) * sizeof(*order));
        if (!order) {
            return false;
        }
        s->order = order;
        s->capacity = all + all / 2;
    }
    s->count = 0;
    for (size_t i = 0; i < all; i++) {
        const watch_row *row = watch_table_row(t, i);
        if (contains(row->source, s->filter) || contains(row->metric, s->filter)) {
            s->order[s->count++] = row;
        }
    }
    if (s->count > 0) {
        qsort(s->order, s->count, sizeof(*s->order), orders[s->sort]);
    }
    return true;
}

/* ---- columns ---- */

static size_t columns_of(const char *from) {
    spb_str str = spb_str_from(from);
    size_t columns = 0, at = 0;
    while (at < str.len) {
        (void)spb_utf8__next(str, &at);
        columns++;
    }
    return columns;
}

/* At most `width` columns, and with `pad` exactly that many. What is cut ends in "…". */
static void put(out *to, const char *from, size_t width, bool pad) {
    spb_str str = spb_str_from(from);
    size_t columns = 0, at = 0, cut = 0;
    bool is_whole = columns_of(from) <= width;
    while (at < str.len && columns < (is_whole ? width : width > 0 ? width - 1 : 0)) {
        (void)spb_utf8__next(str, &at);
        columns++;
        cut = at;
    }
    out_bytes(to, str.data, cut);
    if (!is_whole && width > 0) {
        out_text(to, "…");
        columns++;
    }
    for (; pad && columns < width; columns++) {
        out_char(to, ' ');
    }
}

static void put_gap(out *to) {
    out_bytes(to, "  ", GAP);
}

typedef struct widths {
    size_t source, metric, value;
} widths;

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* As wide as what is shown needs, the value what is left: a third of the screen at least. */
static widths find_widths(const watch_screen *s, size_t shown) {
    size_t fixed = QUALITY_WIDTH + AGE_WIDTH + 4 * GAP;
    size_t room = s->columns > fixed ? s->columns - fixed : 0;
    widths w = {.source = strlen("NODE/DEVICE"), .metric = strlen("METRIC")};
    for (size_t i = 0; i < shown; i++) {
        size_t source = columns_of(s->order[s->top + i]->source), metric = columns_of(s->order[s->top + i]->metric);
        w.source = source > w.source ? source : w.source;
        w.metric = metric > w.metric ? metric : w.metric;
    }
    w.source = smaller(w.source, room / 3);
    w.metric = smaller(w.metric, room / 3);
    w.value = room - w.source - w.metric;
    return w;
}

static void age_of(const watch_row *row, uint64_t now_ms, char *to, size_t size) {
    uint64_t s = now_ms > row->time_ms ? (now_ms - row->time_ms) / 1000 : 0;
    unsigned long long n = s < 60 ? s : s < 3600 ? s / 60 : s < 86400 ? s / 3600 : s / 86400;
    snprintf(to, size, "%4llu%c", n < 10000 ? n : 9999, s < 60 ? 's' : s < 3600 ? 'm' : s < 86400 ? 'h' : 'd');
}

/* ---- lines ---- */

static void put_status(const watch_screen *s, const watch_table *t, const watch_status *status, out *to) {
    static const char *const sorts[SORT_COUNT] = {"name", "age", "quality"};
    char line[512];
    size_t known, online;
    watch_table_nodes(t, &known, &online);
    snprintf(line, sizeof line, "%s  %s%s%s   %zu of %zu nodes online   %zu metrics   by %s%s%s%s", status->server,
             status->is_online ? "online" : "OFFLINE", *status->reason ? ": " : "", status->reason, online, known,
             watch_table_count(t), sorts[s->sort], *s->filter ? "   only " : "", s->filter, s->is_editing ? "_" : "");
    out_text(to, status->is_online ? "" : "\033[1;31m");
    put(to, line, s->columns, false);
    terminal_end_line(to, false);
}

static void put_heading(const watch_screen *s, const widths *w, out *to) {
    out_text(to, "\033[7m");
    put(to, "NODE/DEVICE", w->source, true);
    put_gap(to);
    put(to, "METRIC", w->metric, true);
    put_gap(to);
    put(to, "VALUE", w->value, true);
    put_gap(to);
    put(to, "QUALITY", smaller(QUALITY_WIDTH, s->columns), true);
    put_gap(to);
    put(to, "  AGE", smaller(AGE_WIDTH, s->columns), true);
    terminal_end_line(to, false);
}

static void put_row(const watch_row *row, const widths *w, uint64_t now_ms, out *to) {
    char age[16];
    age_of(row, now_ms, age, sizeof age);
    out_text(to, row->is_stale ? "\033[2m" : trouble(row) > 1 ? "\033[31m" : "");
    put(to, row->source, w->source, true);
    put_gap(to);
    put(to, row->metric, w->metric, true);
    put_gap(to);
    put(to, row->value, w->value, true);
    put_gap(to);
    put(to, row->is_stale ? "offline" : row->quality, QUALITY_WIDTH, true);
    put_gap(to);
    put(to, age, AGE_WIDTH, true);
    terminal_end_line(to, false);
}

static void keep_in_range(watch_screen *s) {
    size_t body = body_rows(s);
    size_t last = s->count > body ? s->count - body : 0;
    s->top = smaller(s->top, last);
}

bool watch_screen_draw(watch_screen *s, const watch_table *t, const watch_status *status, uint64_t now_ms, out *to) {
    if (!order_rows(s, t)) {
        return false;
    }
    keep_in_range(s);
    size_t shown = smaller(body_rows(s), s->count - s->top);
    const widths w = find_widths(s, shown);
    terminal_home(to);
    put_status(s, t, status, to);
    put_heading(s, &w, to);
    for (size_t i = 0; i < shown; i++) {
        put_row(s->order[s->top + i], &w, now_ms, to);
    }
    for (size_t i = shown; i < body_rows(s); i++) {
        terminal_end_line(to, false);
    }
    out_text(to, "\033[2m");
    put(to,
        s->is_editing ? "Enter: keep the filter   Esc: show all"
                      : "q quit   / filter   s sort   arrows, PgUp, PgDn, Home, End scroll",
        s->columns, false);
    terminal_end_line(to, true);
    return true;
}

/* ---- keys ---- */

static void edit_filter(watch_screen *s, terminal_key key, char c) {
    size_t len = strlen(s->filter);
    switch (key) {
    case KEY_ENTER: s->is_editing = false; break;
    case KEY_ESCAPE:
        s->is_editing = false;
        s->filter[0] = '\0';
        break;
    case KEY_BACKSPACE:
        while (len > 0 && (s->filter[--len] & 0xC0) == 0x80) { /* to the beginning of the character */
        }
        s->filter[len] = '\0';
        break;
    case KEY_TEXT:
        if (len + 1 < sizeof s->filter) {
            s->filter[len] = c;
            s->filter[len + 1] = '\0';
        }
        break;
    default: break;
    }
    s->top = 0;
}

static bool take_character(watch_screen *s, char c) {
    switch (c) {
    case 'q': return false;
    case '/': s->is_editing = true; break;
    case 's': s->sort = (watch_sort)((s->sort + 1) % SORT_COUNT); break;
    case 'k': s->top -= s->top > 0; break;
    case 'j': s->top++; break;
    default: break;
    }
    return true;
}

bool watch_screen_key(watch_screen *s, terminal_key key, char c) {
    size_t page = body_rows(s) > 1 ? body_rows(s) - 1 : 1;
    if (key == KEY_INTERRUPT) {
        return false;
    }
    if (s->is_editing) {
        edit_filter(s, key, c);
        return true;
    }
    switch (key) {
    case KEY_TEXT: return take_character(s, c);
    case KEY_ESCAPE: s->filter[0] = '\0'; break;
    case KEY_UP: s->top -= s->top > 0; break;
    case KEY_DOWN: s->top++; break; /* the next drawing keeps it in range */
    case KEY_PAGE_UP: s->top -= smaller(s->top, page); break;
    case KEY_PAGE_DOWN: s->top += page; break;
    case KEY_HOME: s->top = 0; break;
    case KEY_END: s->top = s->count; break;
    default: break;
    }
    keep_in_range(s);
    return true;
}
