/* Decides how reports look. What is worth one is left to the callers. */
#include "cli/report.h"

#include <unistd.h>

#include "cli/error.h"
#include "cli/text_value.h"

void report_init(report *r, const char *file, out *messages) {
    r->file = file;
    r->messages = messages;
    r->before = NULL;
    r->user = NULL;
    r->is_quiet = false;
    r->is_wrong = false;
    out_init(&r->complaints, STDERR_FILENO);
}

static void put_place(out *to, place at) {
    if (at.line > 0) {
        out_char(to, ':');
        out_u64(to, at.line);
    }
    if (at.packet > 0) {
        out_text(to, ": packet ");
        out_u64(to, at.packet);
    }
    out_text(to, ": ");
}

void report_note(report *r, place at, const spb_error *err, const char *of) {
    out *to = &r->complaints;
    if (r->is_quiet) {
        return;
    }
    out_flush(r->messages);
    if (r->before) {
        r->before(r->user);
    }
    out_text(to, "spb: ");
    (void)text_escaped(to, spb_str_from(r->file));
    put_place(to, at);
    (void)text_escaped(to, spb_str_from(err->text));
    if (err->offset != SPB_NO_OFFSET) {
        out_text(to, " at byte ");
        out_u64(to, err->offset);
        out_text(to, of);
    }
    out_char(to, '\n');
    out_flush(to);
}

void report_wrong(report *r, place at, const spb_error *err, const char *of) {
    r->is_wrong = r->is_wrong || !r->is_quiet;
    report_note(r, at, err, of);
}

void report_no_memory(report *r, place at) {
    spb_error err;
    error_set(&err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory");
    report_wrong(r, at, &err, "");
}
