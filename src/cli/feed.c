/* Decides what kind of input there is, and what is said about it. What the payloads mean is left to decode.c. */
#include "cli/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/error.h"

void feed_init(feed *f, int fd, const feed_options *options, report *to, void (*before_wait)(void *user), void *user) {
    *f = (feed){.fd = fd, .options = options, .to = to};
    input_init(&f->text, fd, options->format, before_wait, user);
}

void feed_clear(feed *f) {
    capture_free(f->packets);
    input_clear(&f->text);
    f->packets = NULL;
}

/* ---- captures ---- */

static const place nowhere = {0, 0};

/* "js-edge-1 (10.0.0.7:40001)" */
static void name_client(const capture_event *e, char *text, size_t capacity) {
    char address[CAPTURE_ADDRESS_SIZE];
    (void)capture_address_text(e->client, address);
    bool has_id = e->client_id.len > 0;
    int len = (int)(e->client_id.len < 64 ? e->client_id.len : 64);
    snprintf(text, capacity, "%.*s%s%s%s", has_id ? len : 0, has_id ? e->client_id.data : "", has_id ? " (" : "",
             address, has_id ? ")" : "");
}

static void report_gap(feed *f, const capture_event *e) {
    const capture_gap *gap = &e->as.gap;
    bool is_start = gap->cause == CAPTURE_GAP_MID_STREAM;
    f->counts.gaps += gap->lost_bytes + gap->skipped_bytes > 0;
    f->counts.skipped_bytes += gap->skipped_bytes;
    if (is_start && gap->lost_bytes + gap->skipped_bytes == 0) {
        return; /* it was between two packets: nothing is missing of what came afterwards */
    }
    char client[136];
    spb_error err = {.status = SPB_ERR_TRUNCATED, .offset = SPB_NO_OFFSET};
    name_client(e, client, sizeof client);
    snprintf(err.text, sizeof err.text, "gap %s %s: %" PRIu64 " bytes lost, %" PRIu64 " skipped: %.48s",
             e->direction == CAPTURE_FROM_CLIENT ? "from" : "to", client, gap->lost_bytes, gap->skipped_bytes,
             gap->reason);
    (is_start ? report_note : report_wrong)(f->to, (place){0, e->packet}, &err, "");
}

static void report_unresolved(feed *f, const capture_event *e) {
    spb_error err = {.status = SPB_ERR_NOT_FOUND, .offset = SPB_NO_OFFSET};
    f->counts.unresolved++;
    if (f->counts.unresolved == 1) {
        snprintf(err.text, sizeof err.text,
                 "the first use of topic alias %u was not captured, so its topic is not known",
                 (unsigned)e->as.publish.topic_alias);
        report_wrong(f->to, (place){0, e->packet}, &err, "");
    }
}

static void hand_out(feed *f, const capture_event *e) {
    char address[CAPTURE_ADDRESS_SIZE];
    spb_str address_text = {address, capture_address_text(e->client, address)};
    message_wire wire = {.packet = e->packet,
                         .connection = e->connection,
                         .is_to_client = e->direction == CAPTURE_TO_CLIENT,
                         .client = e->client_id,
                         .address = address_text,
                         .qos = e->as.publish.qos,
                         .retain = e->as.publish.retain,
                         .is_duplicate = e->as.publish.is_duplicate,
                         .is_copy = e->as.publish.is_forwarded};
    feed_record record = {.at = {0, e->packet},
                          .has_time = true,
                          .time_ms = e->time_us / 1000,
                          .topic = e->as.publish.topic,
                          .payload = e->as.publish.payload,
                          .wire = &wire};
    f->on_record(f->user, &record);
}

static bool on_event(const capture_event *e, void *user) {
    feed *f = user;
    if (f->options->on_event) {
        f->options->on_event(f->user, e);
    }
    if (e->kind == CAPTURE_GAP) {
        report_gap(f, e);
    } else if (e->kind == CAPTURE_PUBLISH) {
        f->counts.copies += e->as.publish.is_forwarded;
        if (!e->as.publish.topic.data) {
            report_unresolved(f, e);
        } else if (!e->as.publish.is_forwarded || f->options->with_copies) {
            hand_out(f, e);
        }
    }
    return true;
}

static void note_count(feed *f, uint64_t count, const char *what) {
    if (count > 0) {
        spb_error err = {.status = SPB_OK, .offset = SPB_NO_OFFSET};
        snprintf(err.text, sizeof err.text, "%" PRIu64 " %s", count, what);
        report_note(f->to, nowhere, &err, "");
    }
}

/* What an engineer would otherwise look for in vain. */
static void note_what_was_not_read(feed *f) {
    const capture_counts *seen = &f->counts.capture;
    note_count(f, seen->fragments, "IP fragments, which are not put together");
    note_count(f, seen->cut_packets, "packets were captured with fewer bytes than they had");
    note_count(f, seen->tls_connections, "connections speak TLS, which cannot be read");
    note_count(f, seen->given_up, "connections were given up, as there were too many at a time");
    note_count(f, f->counts.unresolved > 1 ? f->counts.unresolved : 0, "messages have a topic alias that is not known");
    if (seen->mqtt_connections == 0) {
        spb_error err;
        error_set(&err, SPB_OK, SPB_NO_OFFSET, "no MQTT was found");
        report_note(f->to, nowhere, &err, "");
    }
}

static feed_status next_packet(feed *f) {
    spb_error err;
    capture_status status = capture_next(f->packets, on_event, f, &err);
    f->counts.capture = *capture_seen(f->packets);
    if (status == CAPTURE_MORE) {
        return FEED_MORE;
    }
    if (status == CAPTURE_FAILED) {
        report_wrong(f->to, nowhere, &err, "");
    }
    note_what_was_not_read(f);
    return FEED_END;
}

/* ---- which input ---- */

static bool open_capture(feed *f, spb_str head, spb_error *err) {
    capture_options options = {
        .port_count = f->options->port_count, .before_wait = f->text.from.before_wait, .user = f->text.from.user};
    memcpy(options.ports, f->options->ports, sizeof options.ports);
    f->counts.is_capture = true;
    return capture_new(&f->packets, f->fd, (spb_bytes){(const uint8_t *)head.data, head.len}, &options, err) == SPB_OK;
}

/* Reads only as many bytes as are needed to tell a capture from something else. */
static bool begin(feed *f, spb_error *err) {
    enum { MAGIC_BYTES = 4 };
    spb_str head = {"", 0};
    input_status status = INPUT_RECORD;
    bool is_pcap = f->options->format == INPUT_PCAP;
    bool may_be = is_pcap || f->options->format == INPUT_AUTO;
    while (may_be && head.len < MAGIC_BYTES && status == INPUT_RECORD) {
        status = input_peek(&f->text, &head, err);
        may_be = is_pcap || capture_is_capture((spb_bytes){(const uint8_t *)head.data, head.len});
    }
    if (status == INPUT_FAILED) {
        return false;
    }
    return may_be && (is_pcap || head.len >= MAGIC_BYTES) ? open_capture(f, head, err) : true;
}

/* ---- text ---- */

static feed_status next_text(feed *f) {
    input_record from;
    spb_error err;
    input_status status = input_next(&f->text, &from, &err);
    place at = {from.line, 0};
    if (status == INPUT_RECORD) {
        feed_record record = {
            .at = at, .has_time = from.has_time, .time_ms = from.time_ms, .topic = from.topic, .payload = from.payload};
        f->on_record(f->user, &record);
    } else if (status != INPUT_END) {
        report_wrong(f->to, at, &err, " of the line");
    }
    return status == INPUT_RECORD || status == INPUT_BAD ? FEED_MORE : FEED_END;
}

feed_status feed_next(feed *f, feed_record_fn on_record, void *user) {
    spb_error err;
    f->on_record = on_record;
    f->user = user;
    if (!f->has_begun) {
        f->has_begun = true;
        if (!begin(f, &err)) {
            report_wrong(f->to, nowhere, &err, "");
            return FEED_END;
        }
    }
    return f->packets ? next_packet(f) : next_text(f);
}
