/* Decides how a server is asked whether it honours fences, and how the verdict is told. What is sent, and what it
 * proves, is left to fence_trial.c. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complain.h"
#include "cli/fence_trial.h"
#include "cli/help.h"
#include "cli/json.h"
#include "cli/options.h"

enum { NOT_HONOURED = 3 };

typedef struct options {
    const char *server, *topic;
    uint32_t rounds, wait_ms;
    bool as_json, wants_help, wants_mqtt_help;
    spb_mqtt_options mqtt;
} options;

/* ---- the command line ---- */

static bool take_number(const char *option, const char *text, uint64_t min, uint64_t max, uint32_t *number) {
    uint64_t wide = 0;
    bool is_good = options_number("fence-test", option, text, min, max, &wide);
    *number = (uint32_t)wide;
    return is_good;
}

static int read_options(int argc, char **argv, options *o) {
    enum { BROKER = 256, TOPIC, ROUNDS, WAIT, JSON };
    static const struct option known[] = {{"broker", required_argument, NULL, BROKER},
                                          {"topic", required_argument, NULL, TOPIC},
                                          {"rounds", required_argument, NULL, ROUNDS},
                                          {"wait", required_argument, NULL, WAIT},
                                          {"json", no_argument, NULL, JSON},
                                          OPTIONS_MQTT,
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    bool is_good = true;
    opterr = 0;
    while (is_good) {
        const char *word = argv[optind]; /* '+' lets getopt take them in their order */
        int option = getopt_long(argc, argv, "+:h", known, NULL);
        switch (option) {
        case -1: return optind < argc ? options_usage("fence-test", "unexpected argument ", argv[optind]) : CLI_OK;
        case BROKER: o->server = optarg; break;
        case TOPIC: o->topic = optarg; break;
        case ROUNDS: is_good = take_number("rounds", optarg, 1, 100, &o->rounds); break;
        case WAIT: is_good = take_number("wait", optarg, 100, 600000, &o->wait_ms); break;
        case JSON: o->as_json = true; break;
        case 'h': o->wants_help = true; return CLI_OK;
        case OPTIONS_MQTT_HELP: o->wants_mqtt_help = true; return CLI_OK;
        case ':': return options_usage("fence-test", "a value is missing after ", word);
        case '?': return options_usage("fence-test", "no option ", word);
        default: is_good = options_take_mqtt("fence-test", option, optarg, &o->mqtt); break;
        }
    }
    return CLI_USAGE;
}

/* ---- the verdict ---- */

static const char *verdict_word(fence_verdict verdict) {
    static const char *const words[] = {
        [FENCE_HONOURED] = "honoured", [FENCE_NOT_HONOURED] = "not honoured", [FENCE_UNKNOWN] = "unknown"};
    return words[verdict];
}

typedef struct outcome {
    fence_result results[FENCE_SHAPES];
    size_t count; /* of the shapes that were tried; 0: no fence is answered, as the first result says */
} outcome;

static fence_result worst_of(const outcome *found) {
    fence_result worst = found->results[0];
    for (size_t i = 1; i < found->count; i++) {
        const fence_result *one = &found->results[i];
        uint64_t later_us = one->later_us > worst.later_us ? one->later_us : worst.later_us;
        worst = one->verdict > worst.verdict ? *one : worst;
        worst.later_us = later_us;
    }
    return worst;
}

static void print_shape(const fence_shape *shape, const fence_result *result) {
    printf("  %-8s %4" PRIu32 " × %5" PRIu32 " bytes: %s, %" PRIu32 " missing, the last one %.1f ms after the answer\n",
           shape->name, shape->messages, result->bytes, verdict_word(result->verdict), result->missing,
           (double)result->later_us / 1000);
    fflush(stdout);
}

static const char *answer_word(bool is_answered) {
    return is_answered ? "yes" : "no";
}

static void print_forms(const fence_test *test) {
    printf("  answered: UNSUBSCRIBE %s, SUBSCRIBE once more %s, SUBSCRIBE and UNSUBSCRIBE %s\n",
           answer_word(test->answers[SPB_FENCE_FORM_UNSUBSCRIBE]), answer_word(test->answers[SPB_FENCE_FORM_SUBSCRIBE]),
           answer_word(test->answers[SPB_FENCE_FORM_BOTH]));
    fflush(stdout);
}

static void print_verdict(const fence_result *worst) {
    if (worst->verdict == FENCE_UNKNOWN) {
        printf("unknown: the server loses messages to a subscriber also while the link is open; is there a limit of\n"
               "messages or bytes for each client?\n");
    } else if (worst->verdict == FENCE_NOT_HONOURED && worst->failure.status != SPB_OK) {
        printf("not honoured: the server does not answer; libspb would drop the link again and again; use confirm = "
               "window\n");
    } else if (worst->verdict == FENCE_NOT_HONOURED) {
        printf("not honoured: of %" PRIu32 " messages before an answered fence, %" PRIu32
               " never arrived; use confirm = window\n",
               worst->before, worst->missing);
    } else if (worst->later_us >= 1000) {
        printf("honoured, but subscribers see it up to %.0f ms later\n", (double)worst->later_us / 1000);
    } else {
        printf("honoured\n");
    }
}

static void write_result(json *j, const fence_result *result) {
    json_key(j, "verdict");
    json_text(j, verdict_word(result->verdict));
    json_key(j, "later_ms");
    json_double(j, (double)result->later_us / 1000);
}

static void write_forms(json *j, const fence_test *test) {
    static const char *const keys[SPB_FENCE_FORMS] = {"unsubscribe", "subscribe", "both"};
    json_key(j, "forms");
    json_begin_object(j);
    for (size_t i = 0; i < SPB_FENCE_FORMS; i++) {
        json_key(j, keys[i]);
        json_bool(j, test->answers[i]);
    }
    json_end_object(j);
}

static void write_json(const options *o, const fence_test *test, const outcome *found) {
    static out to; /* too large for a stack */
    json j = {.to = &to};
    fence_result worst = worst_of(found);
    out_init(&to, STDOUT_FILENO);
    json_begin_object(&j);
    json_key(&j, "server");
    json_text(&j, o->server);
    write_result(&j, &worst);
    write_forms(&j, test);
    json_key(&j, "shapes");
    json_begin_array(&j);
    for (size_t i = 0; i < found->count; i++) {
        json_begin_object(&j);
        json_key(&j, "name");
        json_text(&j, fence_shapes[i].name);
        write_result(&j, &found->results[i]);
        json_key(&j, "messages");
        json_u64(&j, fence_shapes[i].messages);
        json_key(&j, "bytes");
        json_u64(&j, found->results[i].bytes);
        json_key(&j, "missing");
        json_u64(&j, found->results[i].missing);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    json_end_line(&j);
    out_flush(&to);
}

/* ---- the test ---- */

static int fail(const options *o, const spb_error *err) {
    complain("%s: %s", o->server, err->text);
    return CLI_FAILED;
}

/* One proof is enough: after the first shape that fails nothing more is tried. */
static spb_status run_shapes(const options *o, fence_test *test, outcome *found, spb_error *err) {
    spb_status status = SPB_OK;
    bool is_proven = false;
    while (found->count < FENCE_SHAPES && status == SPB_OK && !is_proven) {
        const fence_shape *shape = &fence_shapes[found->count];
        fence_result *result = &found->results[found->count];
        status = fence_test_shape(test, shape, o->rounds, result, err);
        found->count += status == SPB_OK;
        is_proven = status == SPB_OK && result->verdict == FENCE_NOT_HONOURED;
        if (status == SPB_OK && !o->as_json) {
            print_shape(shape, result);
        }
    }
    return status;
}

static spb_status run_forms(const options *o, fence_test *test, outcome *found, spb_error *err) {
    spb_status status = fence_test_forms(test, err);
    if (status == SPB_ERR_TIMEOUT) {
        found->results[0] = (fence_result){.verdict = FENCE_NOT_HONOURED, .failure = *err};
        status = SPB_OK;
    }
    if (status == SPB_OK && !o->as_json) {
        print_forms(test);
    }
    return status;
}

static int run(const options *o, fence_test *test, spb_error *err) {
    outcome found = {.count = 0};
    spb_status status = fence_test_subscribe(test, err);
    if (status == SPB_OK) {
        status = fence_test_reach(test, err);
    }
    if (status == SPB_OK) {
        status = run_forms(o, test, &found, err);
    }
    if (status == SPB_OK && found.results[0].failure.status == SPB_OK) {
        status = run_shapes(o, test, &found, err);
    }
    if (status != SPB_OK) {
        return fail(o, err);
    }
    fence_result worst = worst_of(&found);
    if (o->as_json) {
        write_json(o, test, &found);
    } else {
        print_verdict(&worst);
    }
    return worst.verdict == FENCE_HONOURED ? CLI_OK : worst.verdict == FENCE_NOT_HONOURED ? NOT_HONOURED : CLI_FAILED;
}

/* A topic and client IDs that no other run has. */
static void make_names(const options *o, char topic[static 128], char names[static 2][48]) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned long long mark =
        (unsigned long long)now.tv_sec << 20 ^ (unsigned long long)now.tv_nsec ^ (unsigned long long)getpid() << 40;
    snprintf(topic, 128, "%s/%llx", o->topic, mark);
    snprintf(names[0], 48, "spb-fence-p-%llx", mark);
    snprintf(names[1], 48, "spb-fence-s-%llx", mark);
}

int cmd_fence_test(int argc, char **argv) {
    options o = {.server = "mqtt://127.0.0.1:1883", .topic = "spb-fence-test", .rounds = 3, .wait_ms = 5000};
    int result = read_options(argc, argv, &o);
    if (result != CLI_OK || o.wants_help || o.wants_mqtt_help) {
        fputs(o.wants_help ? help_fence_test : o.wants_mqtt_help ? help_mqtt : "", stdout);
        return result;
    }
    spb_error err = {.text = ""};
    if (strlen(o.topic) > 90 || spb_mqtt_check_server(o.server, &o.mqtt, &err) != SPB_OK) {
        return strlen(o.topic) > 90 ? options_usage("fence-test", "this topic is too long: ", o.topic)
                                    : options_usage("fence-test", err.text, "");
    }
    options_finish_mqtt(&o.mqtt);
    signal(SIGPIPE, SIG_IGN);
    char topic[128], names[2][48];
    make_names(&o, topic, names);
    fence_test test = {.wait_ms = o.wait_ms};
    result = CLI_FAILED;
    if (fence_client_init(&test.publisher, o.server, topic, names[0], &o.mqtt, &err) != SPB_OK ||
        fence_client_init(&test.subscriber, o.server, topic, names[1], &o.mqtt, &err) != SPB_OK) {
        complain("%s", err.text);
    } else {
        result = run(&o, &test, &err);
    }
    fence_client_clear(&test.publisher);
    fence_client_clear(&test.subscriber);
    return result;
}
