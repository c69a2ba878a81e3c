/* Decides how `spb decode` begins and ends. What its options mean is left to decode_options.c, what becomes of the
 * records to decode.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/decode.h"
#include "cli/decode_options.h"
#include "cli/help.h"
#include "cli/progress.h"

/* All that lives as long as the command runs: too large for the stack. */
typedef struct run {
    report report;
    output output;
    decoder decoder;
    feed feed;
    later later;
    progress progress;
} run;

static void flush_messages(void *user) {
    out_flush(user);
}

/* Until the input ends or nobody reads the output any more. */
static void decode_all(run *r) {
    while (r->output.to.error == 0 && feed_next(&r->feed, decode_record, &r->decoder) == FEED_MORE) {
        progress_step(&r->progress);
    }
    progress_hide(&r->progress);
    decode_end(&r->decoder);
    output_end(&r->output, &r->feed.counts);
    int error = r->output.to.error;
    if (error != 0 && error != EPIPE) {
        complain("standard output: %s", strerror(error));
        r->report.is_wrong = true;
    }
}

static int decode_fd(decode_options *o, int fd) {
    run *r = calloc(1, sizeof *r);
    int result = CLI_FAILED;
    if (!r) {
        complain("out of memory");
        return result;
    }
    output_init(&r->output, STDOUT_FILENO, decode_options_form(o), o->use_colour);
    r->output.csv.is_safe = o->is_csv_safe;
    report_init(&r->report, fd == STDIN_FILENO ? "stdin" : o->file, &r->output.to);
    r->report.before = progress_hide;
    r->report.user = &r->progress;
    later_init(&r->later, fd, &o->feed, &o->wanted);
    feed_init(&r->feed, fd, &o->feed, &r->report, flush_messages, &r->output.to);
    progress_begin(&r->progress, fd);
    if (decode_init(&r->decoder, &r->report, &r->output, &o->wanted, &r->later, o->is_unfolding)) {
        decode_all(r);
        result = r->report.is_wrong ? CLI_FAILED : CLI_OK;
    } else {
        complain("out of memory");
    }
    decode_clear(&r->decoder);
    feed_clear(&r->feed);
    output_clear(&r->output);
    free(r);
    return result;
}

int cmd_decode(int argc, char **argv) {
    decode_options o;
    int result = decode_options_read(argc, argv, &o);
    if (result != CLI_OK) {
        return result;
    }
    if (o.wants_help) {
        fputs(help_decode, stdout);
        return CLI_OK;
    }
    int fd = strcmp(o.file, "-") == 0 ? STDIN_FILENO : open(o.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("%s: %s", o.file, strerror(errno));
        return CLI_FAILED;
    }
    signal(SIGPIPE, SIG_IGN); /* `| head` closes the pipe: write then fails with EPIPE */
    result = decode_fd(&o, fd);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    return result;
}
