/* Decides what is sent to find out whether a server honours fences, and what the outcome proves. */
#include "cli/fence_trial.h"

#include "cli/error.h"

enum { CONNECT_MS = 15000, ANSWER_MS = 15000, OVERHEAD_BYTES = 256, MIN_BYTES = 16, TRIES = 3 };

/* One message alone hides no hurry; many small ones lie together in one read of the server; large ones fill the buffers
 * of both links, also that to the subscriber; and with several fences under way the link is closed in the middle. */
const fence_shape fence_shapes[FENCE_SHAPES] = {
    {.name = "single", .messages = 1, .bytes = 32, .fences = 1, .close_after = 1},
    {.name = "small", .messages = 500, .bytes = 32, .fences = 1, .close_after = 1},
    {.name = "large", .messages = 60, .bytes = 20000, .fences = 1, .close_after = 1},
    {.name = "several", .messages = 1000, .bytes = 100, .fences = 10, .close_after = 3},
};

static spb_status send_all(fence_test *test, const fence_shape *shape, uint32_t bytes, spb_error *err) {
    uint32_t part = shape->messages / shape->fences;
    spb_status status = SPB_OK;
    for (uint32_t i = 0; i < shape->messages && status == SPB_OK; i++) {
        status = fence_client_publish(&test->publisher, test->trials, i, bytes, err);
        if (status == SPB_OK && (i + 1) % part == 0) {
            status = fence_client_fence(&test->publisher, test->form, err);
        }
    }
    return status;
}

/* What the server takes, for a topic of ours. */
static uint32_t allowed_bytes(const fence_test *test, uint32_t wanted) {
    uint32_t max = test->publisher.max_packet_bytes;
    if (max == 0 || max > wanted + OVERHEAD_BYTES) {
        return wanted;
    }
    return max > OVERHEAD_BYTES + MIN_BYTES ? max - OVERHEAD_BYTES : MIN_BYTES;
}

/* A subscriber of commands, as a node is. */
static spb_status connect_publisher(fence_test *test, spb_error *err) {
    spb_status status = fence_client_connect(&test->publisher, CONNECT_MS, err);
    return status == SPB_OK ? fence_client_subscribe(&test->publisher, test->publisher.commands, CONNECT_MS, err)
                            : status;
}

static spb_status begin(fence_test *test, const fence_shape *shape, uint32_t *bytes, spb_error *err) {
    fence_client_expect(&test->subscriber, ++test->trials);
    spb_status status = connect_publisher(test, err);
    *bytes = status == SPB_OK ? allowed_bytes(test, shape->bytes) : 0;
    return status == SPB_OK ? send_all(test, shape, *bytes, err) : status;
}

spb_status fence_test_subscribe(fence_test *test, spb_error *err) {
    spb_status status = fence_client_connect(&test->subscriber, CONNECT_MS, err);
    return status == SPB_OK ? fence_client_subscribe(&test->subscriber, test->subscriber.topic, CONNECT_MS, err)
                            : status;
}

spb_status fence_test_reach(fence_test *test, spb_error *err) {
    uint32_t bytes, missing = 1;
    uint64_t last_us;
    spb_status status = begin(test, &fence_shapes[0], &bytes, err);
    if (status == SPB_OK) {
        status = fence_client_await_messages(&test->subscriber, 1, test->wait_ms, &missing, &last_us, err);
    }
    fence_client_close(&test->publisher);
    if (status == SPB_OK && missing > 0) {
        status = SPB_ERR_REFUSED;
        error_set(err, status, SPB_NO_OFFSET, "nothing that is published there reaches a subscriber");
    }
    return status;
}

/* On a link of its own: a server may close it instead of an answer. */
static spb_status try_form(fence_test *test, spb_fence_form form, spb_error *err) {
    uint64_t answered_us;
    spb_status status = connect_publisher(test, err);
    if (status == SPB_OK) {
        status = fence_client_fence(&test->publisher, form, err);
        test->answers[form] = status == SPB_OK && fence_client_await_answers(&test->publisher, 1, test->wait_ms,
                                                                             &answered_us, err) == SPB_OK;
    }
    fence_client_close(&test->publisher);
    return status;
}

spb_status fence_test_forms(fence_test *test, spb_error *err) {
    spb_status status = SPB_OK;
    bool is_answered = false;
    for (unsigned i = SPB_FENCE_FORMS; i-- > 0 && status == SPB_OK;) {
        status = try_form(test, (spb_fence_form)i, err);
        if (test->answers[i]) {
            test->form = (spb_fence_form)i;
            is_answered = true;
        }
    }
    if (status == SPB_OK && !is_answered) {
        status = SPB_ERR_TIMEOUT;
        error_set(err, status, SPB_NO_OFFSET, "no answer to a fence, in any form");
    }
    return status;
}

/* The link ends with the answer, or stays open until nothing more arrives. */
static spb_status run_trial(fence_test *test, const fence_shape *shape, bool stays_open, fence_result *out,
                            spb_error *err) {
    uint64_t answered_us = 0, last_us = 0;
    out->before = shape->messages / shape->fences * shape->close_after;
    out->missing = out->before;
    spb_status status = begin(test, shape, &out->bytes, err);
    if (status == SPB_OK) {
        status = fence_client_await_answers(&test->publisher, shape->close_after, ANSWER_MS, &answered_us, err);
        if (status == SPB_ERR_TIMEOUT) {
            out->failure = *err;
            out->verdict = FENCE_NOT_HONOURED;
            status = SPB_OK;
        }
    }
    if (!stays_open) {
        fence_client_close(&test->publisher);
    }
    if (status == SPB_OK) {
        status =
            fence_client_await_messages(&test->subscriber, out->before, test->wait_ms, &out->missing, &last_us, err);
    }
    fence_client_close(&test->publisher);
    if (status == SPB_OK && out->missing == 0 && last_us > answered_us + out->later_us) {
        out->later_us = last_us - answered_us;
    }
    return status;
}

/* Connections get lost, the subscriber's above all, which has much to read; that proves nothing, so it is tried again.
 */
static spb_status repeat_trial(fence_test *test, const fence_shape *shape, bool stays_open, fence_result *out,
                               spb_error *err) {
    spb_status status = SPB_ERR_CONNECT;
    for (int i = 0; i < TRIES && status != SPB_OK; i++) {
        fence_result result = *out;
        status = i > 0 ? fence_test_subscribe(test, err) : SPB_OK;
        if (status == SPB_OK) {
            status = run_trial(test, shape, stays_open, &result, err);
        }
        *out = status == SPB_OK ? result : *out;
    }
    return status;
}

spb_status fence_test_shape(fence_test *test, const fence_shape *shape, uint32_t rounds, fence_result *out,
                            spb_error *err) {
    spb_status status = SPB_OK;
    *out = (fence_result){.verdict = FENCE_HONOURED};
    for (uint32_t i = 0; i < rounds && status == SPB_OK && out->verdict == FENCE_HONOURED; i++) {
        status = repeat_trial(test, shape, false, out, err);
        if (status == SPB_OK && out->missing > 0 && out->verdict == FENCE_HONOURED) {
            fence_result open = *out;
            status = repeat_trial(test, shape, true, &open, err);
            out->verdict = open.missing > 0 ? FENCE_UNKNOWN : FENCE_NOT_HONOURED;
        }
    }
    return status;
}
