/* Decides what is wanted. What becomes of it is left to decode.c. */
#include "cli/filter.h"

#include <string.h>

#include "base/utf8.h"

/* ---- patterns ---- */

/* After a mismatch, the last `*` takes one character more: what stands before it need not be tried again. */
bool filter_matches(const char *pattern, spb_str text) {
    const char *star = NULL;
    size_t star_at = 0;
    size_t at = 0;
    while (at < text.len || *pattern == '*') {
        if (*pattern == '*') {
            star = ++pattern;
            star_at = at;
        } else if (*pattern == '?') {
            (void)spb_utf8__next(text, &at);
            pattern++;
        } else if (*pattern != '\0' && *pattern == text.data[at]) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            (void)spb_utf8__next(text, &star_at);
            at = star_at;
        } else {
            return false;
        }
        if (star && *star == '\0') {
            return true;
        }
    }
    return *pattern == '\0';
}

static bool takes(const char *pattern, spb_str text) {
    return !pattern || (text.data && filter_matches(pattern, text));
}

/* ---- kinds ---- */

static bool is_same_word(const char *text, size_t len, const char *upper) {
    if (strlen(upper) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
        if (c != upper[i]) {
            return false;
        }
    }
    return true;
}

bool filter_read_kinds(const char *text, unsigned *kinds) {
    *kinds = 0;
    do {
        size_t len = strcspn(text, ",");
        bool is_known = false;
        for (int kind = SPB_KIND_NBIRTH; kind <= SPB_KIND_STATE && !is_known; kind++) {
            is_known = is_same_word(text, len, spb_kind_name((spb_kind)kind));
            *kinds |= is_known ? 1u << kind : 0;
        }
        if (!is_known) {
            return false;
        }
        text += len;
    } while (*text++ == ',');
    return true;
}

/* ---- times ---- */

enum { MS_PER_SECOND = 1000, MS_PER_MINUTE = 60000, MS_PER_HOUR = 3600000, MS_PER_DAY = 86400000 };

/* Exactly `digits` digits, or with 0 any number of them up to 14. */
static bool take_number(const char **at, unsigned digits, uint64_t *number) {
    unsigned count = 0;
    *number = 0;
    while (**at >= '0' && **at <= '9' && count < (digits ? digits : 14)) {
        *number = *number * 10 + (uint64_t)(*(*at)++ - '0');
        count++;
    }
    return digits ? count == digits : count > 0;
}

static bool take_char(const char **at, char c) {
    *at += **at == c;
    return (*at)[-1] == c;
}

/* ".25": 250 ms; further digits are dropped. */
static bool take_fraction(const char **at, uint64_t *ms) {
    uint64_t unit = 100;
    *ms = 0;
    if (**at != '.') {
        return true;
    }
    (*at)++;
    for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10) {
        *ms += unit * (uint64_t)(**at - '0');
    }
    return true;
}

/* HH:MM[:SS[.fff]] */
static bool take_clock(const char **at, uint64_t *ms) {
    uint64_t hour, minute, second = 0, fraction = 0;
    if (!take_number(at, 2, &hour) || !take_char(at, ':') || !take_number(at, 2, &minute)) {
        return false;
    }
    if (**at == ':') {
        (*at)++;
        if (!take_number(at, 2, &second) || !take_fraction(at, &fraction)) {
            return false;
        }
    }
    *ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND + fraction;
    return hour < 24 && minute < 60 && second < 61;
}

/* YYYY-MM-DD, as days since 1970; years from 1970 on. */
static bool take_date(const char **at, uint64_t *days) {
    uint64_t year, month, day;
    if (!take_number(at, 4, &year) || !take_char(at, '-') || !take_number(at, 2, &month) || !take_char(at, '-') ||
        !take_number(at, 2, &day) || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31) {
        return false;
    }
    /* Counted from March on, the leap day is the last of its year. */
    year -= month <= 2;
    uint64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    *days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719468;
    return true;
}

static bool read_instant(const char *text, filter_time *out) {
    uint64_t days;
    uint64_t ms = 0;
    if (!take_date(&text, &days)) {
        return false;
    }
    if (*text == 'T' || *text == ' ') {
        text++;
        if (!take_clock(&text, &ms)) {
            return false;
        }
    }
    text += *text == 'Z';
    *out = (filter_time){.is_set = true, .ms = days * MS_PER_DAY + ms};
    return *text == '\0';
}

static bool read_time_of_day(const char *text, filter_time *out) {
    *out = (filter_time){.is_set = true, .is_time_of_day = true};
    return take_clock(&text, &out->ms) && *text == '\0';
}

static bool read_seconds(const char *text, filter_time *out) {
    uint64_t seconds, fraction;
    *out = (filter_time){.is_set = true};
    if (!take_number(&text, 0, &seconds) || !take_fraction(&text, &fraction)) {
        return false;
    }
    out->ms = seconds * MS_PER_SECOND + fraction;
    return *text == '\0';
}

bool filter_read_time(const char *text, filter_time *out) {
    return read_instant(text, out) || read_time_of_day(text, out) || read_seconds(text, out);
}

static uint64_t instant(const filter *f, const filter_time *time) {
    return time->ms + (time->is_time_of_day ? f->day_ms : 0);
}

static bool takes_time(filter *f, const message *m) {
    bool has_own = m->payload && m->payload->has_timestamp;
    if (!f->from.is_set && !f->to.is_set) {
        return true;
    }
    if (!m->has_time && !has_own) {
        return false;
    }
    uint64_t time = m->has_time ? m->time_ms : m->payload->timestamp_ms;
    if (!f->has_day) {
        f->has_day = true;
        f->day_ms = time - time % MS_PER_DAY;
    }
    return !(f->from.is_set && time < instant(f, &f->from)) && !(f->to.is_set && time > instant(f, &f->to));
}

/* ---- messages ---- */

bool filter_takes_node(const filter *f, const spb_topic *topic) {
    if (!f->group && !f->node) {
        return true;
    }
    return topic && takes(f->group, topic->group_id) && takes(f->node, topic->node_id);
}

bool filter_takes_message(filter *f, const message *m) {
    bool is_alone = !m->topic_text.data;
    bool is_in_time = takes_time(f, m); /* first of all: it looks for the day */
    if (is_alone) {
        return is_in_time && !f->device && f->kinds == 0 && filter_takes_node(f, NULL);
    }
    return is_in_time && filter_takes_node(f, &m->topic) && takes(f->device, m->topic.device_id) &&
           (f->kinds == 0 || f->kinds & 1u << m->topic.kind) && (!f->metric || m->payload);
}

size_t filter_metrics(const filter *f, metric_view *views, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (takes(f->metric, views[i].name)) {
            views[kept++] = views[i];
        }
    }
    return kept;
}
