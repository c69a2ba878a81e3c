/* Decides the form of complaints about an input. What is worth one is left to the commands. */
#include "cli/complaint.h"

#include "cli/text_value.h"

void complain(out *to, const char *file, size_t line, const spb_error *err, const char *of) {
    out_text(to, "spb: ");
    (void)text_escaped(to, spb_str_from(file));
    if (line > 0) {
        out_char(to, ':');
        out_u64(to, line);
    }
    out_text(to, ": ");
    (void)text_escaped(to, spb_str_from(err->text));
    if (err->offset != SPB_NO_OFFSET) {
        out_text(to, " at byte ");
        out_u64(to, err->offset);
        out_text(to, of);
    }
    out_char(to, '\n');
    out_flush(to);
}
