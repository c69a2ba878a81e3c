/* Prints the verdict over a ledger and an account: chaos_verdict --account FILE --ledger FILE [--flushed] [--overflow]
 * [--resent BYTES] [--host BYTES] [--killed BYTES] [--trace METRIC]. Ends with 1 when a rule is broken. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/verdict.h"

static void print_counts(const chaos_account *account) {
    chaos_counts sum = {0};
    for (uint32_t life = 0; life < account->lives; life++) {
        const uint64_t *from = (const uint64_t *)&account->life[life].counts;
        for (size_t i = 0; i < sizeof sum / sizeof *from; i++) {
            ((uint64_t *)&sum)[i] += from[i];
        }
    }
    printf("the node counts: accepted %" PRIu64 ", stored %" PRIu64 ", replayed %" PRIu64 ", resent %" PRIu64
           ", confirmed %" PRIu64 "; dropped: offline %" PRIu64 ", overflow %" PRIu64 ", lost %" PRIu64
           ", choice %" PRIu64 ", gone %" PRIu64 ", disk %" PRIu64 ", by the store %" PRIu64 "\n",
           sum.accepted, sum.stored, sum.replayed, sum.resent, sum.confirmed, sum.dropped_offline, sum.dropped_overflow,
           sum.dropped_lost, sum.dropped_choice, sum.dropped_gone, sum.dropped_disk, sum.dropped_by_store);
}

static void print_numbers(const chaos_account *account, const verdict_numbers *numbers) {
    printf("owed %" PRIu64 ", arrived %" PRIu64 " (%" PRIu64 " live, %" PRIu64 " replayed, %" PRIu64
           " of them newer than the birth, %" PRIu64 " only in births), lost %" PRIu64 ", accepted and missing %" PRIu64
           "\n",
           numbers->owed, numbers->arrived, numbers->live, numbers->replayed, numbers->overflowed,
           numbers->only_in_births, numbers->broken[VERDICT_LOST], numbers->missing);
    printf("duplicates %" PRIu64 ", behind newer ones for a lost host %" PRIu64
           "; most bytes again for one lost connection %" PRIu64 ", a lost host %" PRIu64 ", a killed process %" PRIu64
           "\n",
           numbers->duplicates, numbers->reordered, numbers->most_resent_bytes, numbers->most_resent_after_host,
           numbers->most_resent_after_kill);
    printf("messages %" PRIu64 ", sessions %" PRIu64 ", births %" PRIu64 ", deaths %" PRIu64 ", lives %" PRIu32
           ", times of a clock that was not set %" PRIu64 "\n",
           numbers->messages, numbers->sessions, numbers->births, numbers->deaths, (uint32_t)account->lives,
           numbers->unset_times);
    print_counts(account);
    for (int rule = 0; rule < VERDICT_RULES; rule++) {
        if (numbers->broken[rule] > 0) {
            printf("BROKEN %s: %" PRIu64 "\n", verdict_rule_name((verdict_rule)rule), numbers->broken[rule]);
        }
    }
}

static int judge(const chaos_account *account, chaos_ledger *ledger, const verdict_options *options) {
    verdict *self = verdict_new(account, options, stdout);
    chaos_record record;
    while (chaos_ledger_next(ledger, &record)) {
        verdict_hear(self, &record);
    }
    bool is_fine = verdict_finish(self);
    print_numbers(account, verdict_get(self));
    verdict_free(self);
    return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    static const struct option words[] = {{"account", required_argument, NULL, 'a'},
                                          {"ledger", required_argument, NULL, 'l'},
                                          {"flushed", no_argument, NULL, 'f'},
                                          {"overflow", no_argument, NULL, 'o'},
                                          {"resent", required_argument, NULL, 'r'},
                                          {"host", required_argument, NULL, 'h'},
                                          {"killed", required_argument, NULL, 'k'},
                                          {"trace", required_argument, NULL, 't'},
                                          {0}};
    chaos_account *account = NULL;
    chaos_ledger ledger = {.bytes = NULL};
    verdict_options options = {.owes_flushed = false};
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        switch (option) {
        case 'a': account = chaos_account_open(optarg); break;
        case 'l':
            if (!chaos_ledger_read(&ledger, optarg)) {
                fprintf(stderr, "verdict: %s: %s\n", optarg, strerror(errno));
                return 2;
            }
            break;
        case 'f': options.owes_flushed = true; break;
        case 'o': options.may_overflow = true; break;
        case 'r': options.max_resent_bytes = strtoull(optarg, NULL, 10); break;
        case 'h': options.host_bytes = strtoull(optarg, NULL, 10); break;
        case 'k': options.killed_bytes = strtoull(optarg, NULL, 10); break;
        case 't':
            options.has_trace = true;
            options.trace = (unsigned)atoi(optarg);
            break;
        default: return 2;
        }
    }
    if (!account || account->lives == 0) {
        fputs("verdict: no account\n", stderr);
        return 2;
    }
    int status = judge(account, &ledger, &options);
    chaos_ledger_free(&ledger);
    chaos_account_close(account);
    return status;
}
