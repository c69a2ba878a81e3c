/* Decides how findings look, and which are shown. What is one is left to the checker. */
#include "cli/findings.h"

#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/number.h"

enum { SHOWN_MAX = 3, SOURCE_MAX = 200 };

/* What was found of one rule. */
typedef struct tally {
    uint64_t count;
    uint64_t first; /* number of the message */
} tally;

struct findings {
    text to;
    const char *counted;
    bool as_json, all;
    const check_rule *rules;
    size_t rule_count;
    tally *tallies;
    uint64_t count;
    uint64_t hidden;
};

findings *findings_new(out *to, bool as_json, bool all, bool use_colour) {
    findings *f = calloc(1, sizeof *f);
    if (!f) {
        return NULL;
    }
    *f = (findings){.to = {to, use_colour}, .counted = "message", .as_json = as_json, .all = all};
    f->rules = check_rules(&f->rule_count);
    f->tallies = calloc(f->rule_count, sizeof *f->tallies);
    if (!f->tallies) {
        free(f);
        return NULL;
    }
    return f;
}

void findings_free(findings *f) {
    if (f) {
        free(f->tallies);
        free(f);
    }
}

void findings_set_counted(findings *f, const char *counted) {
    f->counted = counted;
}

uint64_t findings_count(const findings *f) {
    return f->count;
}

static const char *level_name(check_level level) {
    return level == CHECK_MUST ? "MUST" : "SHOULD";
}

static void write_json(const findings *f, const check_finding *finding) {
    const check_rule *rule = &f->rules[finding->rule];
    json j = {.to = f->to.to};
    json_begin_object(&j);
    json_key(&j, "rule");
    json_text(&j, rule->id);
    json_key(&j, "level");
    json_text(&j, level_name(rule->level));
    if (finding->number > 0) {
        json_key(&j, f->counted);
        json_u64(&j, finding->number);
    }
    if (finding->has_time) {
        json_key(&j, "time");
        json_u64(&j, finding->time_ms);
    }
    json_key(&j, "source");
    json_text(&j, finding->source);
    json_key(&j, "wrong");
    json_text(&j, finding->wrong);
    json_key(&j, "right");
    json_text(&j, rule->right);
    json_end_object(&j);
    json_end_line(&j);
}

static void put_time(out *to, uint64_t time_ms) {
    char form[NUMBER_SIZE];
    size_t len = number_datetime(form, time_ms);
    out_text(to, "  ");
    out_bytes(to, form, len);
}

/* Two lines: where, and which rule; what is wrong, and what would be right. */
static void write_text(const findings *f, const check_finding *finding) {
    const check_rule *rule = &f->rules[finding->rule];
    out *to = f->to.to;
    if (finding->number > 0) {
        out_text(to, f->counted);
        out_char(to, ' ');
        out_u64(to, finding->number);
    } else {
        out_text(to, "at the end");
    }
    if (finding->has_time) {
        put_time(to, finding->time_ms);
    }
    out_text(to, "  ");
    text_paint(&f->to, TEXT_NAME);
    (void)text_escaped(to, spb_str_from(finding->source));
    text_paint(&f->to, TEXT_PLAIN);
    out_text(to, "  ");
    text_paint(&f->to, rule->level == CHECK_MUST ? TEXT_DEATH : TEXT_COMMAND);
    out_text(to, level_name(rule->level));
    text_paint(&f->to, TEXT_PLAIN);
    out_char(to, ' ');
    out_text(to, rule->id);
    out_text(to, "\n    ");
    (void)text_escaped(to, spb_str_from(finding->wrong));
    out_text(to, "; right: ");
    out_text(to, rule->right);
    out_char(to, '\n');
}

void findings_add(const check_finding *finding, void *user) {
    findings *f = user;
    tally *of = &f->tallies[finding->rule];
    f->count++;
    if (of->count++ == 0) {
        of->first = finding->number;
    }
    if (f->as_json) {
        write_json(f, finding);
    } else if (f->all || of->count <= SHOWN_MAX) {
        write_text(f, finding);
    } else {
        f->hidden++;
    }
}

static size_t digits_of(uint64_t number) {
    char form[NUMBER_SIZE];
    return number_u64(form, number);
}

static void put_right(const findings *f, uint64_t number, size_t width) {
    size_t taken = digits_of(number);
    text_spaces(&f->to, taken < width ? width - taken : 0);
    out_u64(f->to.to, number);
}

static void put_table(const findings *f) {
    enum { COUNT_WIDTH = 8, FIRST_WIDTH = 10 };
    out *to = f->to.to;
    out_text(to, "\n   count  first ");
    out_text(to, f->counted);
    text_spaces(&f->to, strlen(f->counted) < 7 ? 7 - strlen(f->counted) : 0);
    out_text(to, " rule\n");
    for (size_t i = 0; i < f->rule_count; i++) {
        if (f->tallies[i].count > 0) {
            put_right(f, f->tallies[i].count, COUNT_WIDTH);
            put_right(f, f->tallies[i].first, FIRST_WIDTH);
            text_spaces(&f->to, 6);
            out_text(to, f->rules[i].level == CHECK_MUST ? "MUST   " : "SHOULD ");
            out_text(to, f->rules[i].id);
            out_char(to, '\n');
        }
    }
}

void findings_summary(findings *f, uint64_t messages) {
    out *to = f->to.to;
    if (f->as_json) {
        return;
    }
    if (f->hidden > 0) {
        out_text(to, "\n");
        out_u64(to, f->hidden);
        out_text(to, " further findings of these rules are not shown; --all shows them\n");
    }
    if (f->count > 0) {
        put_table(f);
        out_char(to, '\n');
    }
    out_u64(to, messages);
    out_text(to, messages == 1 ? " message, " : " messages, ");
    out_u64(to, f->count);
    out_text(to, f->count == 1 ? " finding\n" : " findings\n");
}
