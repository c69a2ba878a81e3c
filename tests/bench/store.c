/*
 * Store-and-forward in figures: how fast samples get into the journal, what they take on the disk and write to it, how
 * fast they get out of it to a subscriber, and whether memory stays flat meanwhile. The baseline is a plain SQLite loop
 * with a row for each sample.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include <spb/payload.h>
#include <spb/store.h>

#include "bench.h"
#include "listener.h"
#include "paho.h"
#include "plant.h"
#include "sink.h"
#include "support/broker.h"

#define MILLION UINT64_C(1000000)
#define STORED (2 * MILLION) /* samples of an outage */
#define DURABLE MILLION
#define ROWS MILLION
#define ROWS_PER_COMMIT 1000
#define STORE_BYTES (UINT64_C(256) << 20)
#define MOST_WAITING 100000
#define DEVICES 8
#define METRICS 100
#define SQLITE "plain SQLite"

static char directory[64];

static const char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void remove_files(const char *name) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", "-lock"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char whole[160];
        snprintf(whole, sizeof whole, "%s%s", path_of(name), ends[i]);
        unlink(whole);
    }
}

/* What this process has made the system write to disks so far. */
static double disk_bytes(void) {
    FILE *file = fopen("/proc/self/io", "r");
    char line[128];
    unsigned long long bytes = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "write_bytes: %llu", &bytes) == 1) {
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return (double)bytes;
}

/* ---- the baseline ---- */

static void must(sqlite3 *db, int code, const char *what) {
    if (code != SQLITE_OK && code != SQLITE_DONE) {
        bench_fail("SQLite: %s: %s", what, sqlite3_errmsg(db));
    }
}

static void run_sql(sqlite3 *db, const char *sql) {
    must(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

typedef struct sqlite_figures {
    double samples_per_s;
    double written; /* bytes, of a sample: insert and delete */
    double held;
} sqlite_figures;

/* One row for a sample, deleted when it has been sent. A commit after so many rows, or so much time if that is 0. */
static sqlite_figures run_sqlite(const char *synchronous, uint64_t rows, uint64_t rows_per_commit) {
    sqlite3 *db;
    sqlite3_stmt *insert;
    remove_files("plain.db");
    must(NULL, sqlite3_open(path_of("plain.db"), &db), "open");
    run_sql(db, "PRAGMA journal_mode=WAL");
    run_sql(db, strcmp(synchronous, "FULL") == 0 ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    run_sql(db, "CREATE TABLE samples(id INTEGER PRIMARY KEY, metric INTEGER, timestamp INTEGER, value REAL)");
    must(db, sqlite3_prepare_v2(db, "INSERT INTO samples(metric, timestamp, value) VALUES(?,?,?)", -1, &insert, NULL),
         "prepare");
    double begin_bytes = disk_bytes();
    uint64_t begin_ns = bench_now_ns();
    uint64_t committed_ns = begin_ns;
    run_sql(db, "BEGIN");
    for (uint64_t i = 0; i < rows; i++) {
        sqlite3_bind_int64(insert, 1, (int64_t)(128 + i % (DEVICES * METRICS)));
        sqlite3_bind_int64(insert, 2, (int64_t)(PLANT_TIME_MS + i));
        sqlite3_bind_double(insert, 3, (double)i / 7);
        must(db, sqlite3_step(insert), "insert");
        sqlite3_reset(insert);
        bool is_due = rows_per_commit > 0 ? (i + 1) % rows_per_commit == 0
                                          : i % 64 == 0 && bench_now_ns() - committed_ns > 100000000;
        if (is_due) {
            run_sql(db, "COMMIT; BEGIN");
            committed_ns = bench_now_ns();
        }
    }
    run_sql(db, "COMMIT");
    sqlite_figures figures = {.samples_per_s = (double)rows / ((double)(bench_now_ns() - begin_ns) / 1e9)};
    sqlite3_finalize(insert);
    run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    FILE *file = fopen(path_of("plain.db"), "r");
    fseek(file, 0, SEEK_END);
    figures.held = (double)ftell(file) / (double)rows;
    fclose(file);
    for (uint64_t id = 0; id < rows; id += ROWS_PER_COMMIT) {
        char sql[80];
        snprintf(sql, sizeof sql, "DELETE FROM samples WHERE id<=%llu", (unsigned long long)(id + ROWS_PER_COMMIT));
        run_sql(db, sql);
    }
    figures.written = (disk_bytes() - begin_bytes) / (double)rows;
    must(NULL, sqlite3_close(db), "close");
    remove_files("plain.db");
    return figures;
}

/* ---- the node ---- */

static spb_node_options options_of(spb_delivery delivery, spb_store_sync sync) {
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.delivery = delivery;
    options.store_path = path_of("node.spb");
    options.store_options = (spb_store_options){.max_bytes = STORE_BYTES, .sync = sync};
    options.replay_samples_per_s = 0;
    return options;
}

/* Resident memory after a tenth of the work, and at its highest. */
typedef struct memory {
    size_t early, most;
} memory;

static void note_memory(memory *m, uint64_t done, uint64_t all) {
    size_t now = bench_resident_bytes(getpid());
    m->most = now > m->most ? now : m->most;
    m->early = done * 10 <= all ? now : m->early;
}

/* Not in the journal yet, or when the node is online, not handed over yet. */
static uint64_t waiting(const plant *p) {
    spb_stats s = plant_stats(p);
    bool is_online = s.state == SPB_SESSION_ONLINE;
    uint64_t done = is_online && s.samples_published < s.samples_stored ? s.samples_published : s.samples_stored;
    return s.samples_accepted - done;
}

/* At full speed, but never more ahead than fits in memory. */
static void produce(const plant *p, uint64_t samples, memory *m) {
    static const struct timespec moment = {.tv_nsec = 200000};
    for (uint64_t i = 0; i < samples; i++) {
        if (i % 1024 == 0) {
            while (waiting(p) > MOST_WAITING) {
                nanosleep(&moment, NULL);
            }
        }
        if (i % 65536 == 0) {
            note_memory(m, i, samples);
        }
        /* As a scan does it: a value of each metric in turn, each scan a second later. */
        uint64_t scan = i / (DEVICES * METRICS);
        spb_status status = spb_metric_update(p->metrics[i % (DEVICES * METRICS)], spb_double((double)i / 7),
                                              PLANT_TIME_MS + 1000 * scan);
        if (status != SPB_OK) {
            bench_fail("an update failed: %s", spb_status_name(status));
        }
    }
}

/* What the subscriber has may still be stored alone, for all that the node knows. */
static void flush(const plant *p, spb_flush wanted) {
    static const struct timespec moment = {.tv_nsec = 1000000};
    spb_flush how;
    do {
        nanosleep(&moment, NULL);
        spb_status status = spb_node_flush(p->node, 60000, &how);
        if (status != SPB_OK || how == SPB_FLUSH_LOST) {
            bench_fail("flush: %s, %d", spb_status_name(status), (int)how);
        }
    } while (how != wanted && how != SPB_FLUSH_CONFIRMED);
}

static void report(const char *name, const char *unit, double value, const char *baseline, double baseline_value,
                   double target, bool json) {
    bench_print_as((bench_figure){.unit = unit,
                                  .value = value,
                                  .baseline = baseline,
                                  .baseline_value = baseline_value,
                                  .more_is_better = strcmp(unit, "samples/s") == 0,
                                  .target = target},
                   json, "store/%s", name);
}

static void report_memory(const char *name, const memory *m, bool json) {
    report(name, "MB", (double)m->most / 1e6, "after a tenth of it", (double)m->early / 1e6, 0, json);
}

/* Without a server: all goes to the journal, which is left behind for the replay. Returns the bytes written for a
 * sample. */
static double run_outage(const sqlite_figures *plain, bool json) {
    char nowhere[64];
    snprintf(nowhere, sizeof nowhere, "mqtt://127.0.0.1:%u", (unsigned)broker_free_port());
    spb_node_options options = options_of(SPB_DELIVERY_OUTAGE, SPB_STORE_SYNC_NORMAL);
    options.servers = nowhere;
    plant p;
    plant_build(&p, options, DEVICES, METRICS, SPB_DOUBLE);
    if (spb_node_start(p.node, NULL) != SPB_OK) {
        bench_fail("the node does not start");
    }
    double begin_bytes = disk_bytes();
    uint64_t begin_ns = bench_now_ns();
    memory m = {0};
    produce(&p, STORED, &m);
    flush(&p, SPB_FLUSH_STORED);
    double took_s = (double)(bench_now_ns() - begin_ns) / 1e9;
    spb_stats stats = plant_stats(&p);
    if (stats.samples_stored != STORED) {
        bench_fail("%llu samples are stored, not %llu", (unsigned long long)stats.samples_stored,
                   (unsigned long long)STORED);
    }
    report("outage, NORMAL", "samples/s", (double)STORED / took_s, SQLITE, plain->samples_per_s, 1e6, json);
    report_memory("memory while stored", &m, json);
    plant_stop(&p);
    return (disk_bytes() - begin_bytes) / (double)STORED;
}

/* paho alone with ready-made messages of the size that a replay has: samples/s. */
static double run_paho(broker *server, listener *subscriber) {
    const size_t per_message = 10000;
    uint8_t *payload;
    size_t len;
    plant_payload(per_message, &payload, &len);
    paho *sender = paho_open(broker_port(server), 16, len);
    listener_reset(subscriber);
    uint64_t begin_ns = bench_now_ns();
    for (uint64_t samples = 0; samples < STORED; samples += per_message) {
        paho_send(sender, PLANT_TOPIC, payload, len);
    }
    if (!listener_wait(subscriber, STORED, 0)) {
        bench_fail("paho did not deliver");
    }
    paho_close(sender);
    spb_free(payload);
    return (double)STORED / ((double)(listener_read(subscriber).last_ns - begin_ns) / 1e9);
}

/* The journal of the outage, as fast as it goes, to a subscriber behind mosquitto. */
static void run_replay(broker *server, listener *subscriber, const sqlite_figures *plain, double written, bool json) {
    spb_node_options options = options_of(SPB_DELIVERY_OUTAGE, SPB_STORE_SYNC_NORMAL);
    options.servers = broker_uri(server);
    plant p;
    plant_build(&p, options, DEVICES, METRICS, SPB_DOUBLE);
    double begin_bytes = disk_bytes();
    listener_reset(subscriber);
    uint64_t begin_ns = bench_now_ns();
    plant_connect(&p);
    memory m = {0};
    for (uint64_t part = 1; part <= 100; part++) {
        if (!listener_wait(subscriber, STORED / 100 * part, 0)) {
            bench_fail("only %llu of %llu samples were replayed", (unsigned long long)listener_read(subscriber).samples,
                       (unsigned long long)STORED);
        }
        note_memory(&m, part, 100);
    }
    listener_counts counts = listener_read(subscriber);
    if (counts.historical != STORED) {
        bench_fail("%llu samples came, of which %llu are historical", (unsigned long long)counts.samples,
                   (unsigned long long)counts.historical);
    }
    double took_s = (double)(counts.last_ns - begin_ns) / 1e9;
    flush(&p, SPB_FLUSH_CONFIRMED);
    plant_stop(&p); /* what was confirmed is committed */
    written += (disk_bytes() - begin_bytes) / (double)STORED;
    double alone = run_paho(server, subscriber);
    report("replay", "samples/s", (double)STORED / took_s, "paho alone", alone, 1e6, json);
    report_memory("memory while replayed", &m, json);
    report("written in a life, NORMAL", "B/sample", written, SQLITE, plain->written, 60, json);
}

/* Online, each message in the journal before it is published, one commit for all that is due. */
static void run_durable(bool json) {
    sqlite_figures plain = run_sqlite("FULL", ROWS, 0);
    remove_files("node.spb");
    spb_node_options options = options_of(SPB_DELIVERY_DURABLE, SPB_STORE_SYNC_FULL);
    options.servers = "mqtt://nowhere";
    options.transport = sink_new();
    plant p;
    plant_start(&p, options, DEVICES, METRICS, SPB_DOUBLE);
    double begin_bytes = disk_bytes();
    uint64_t begin_ns = bench_now_ns();
    memory m = {0};
    produce(&p, DURABLE, &m);
    flush(&p, SPB_FLUSH_STORED);
    spb_stats stats = plant_stats(&p);
    while (stats.samples_published + stats.samples_dropped_overflow < DURABLE) { /* stored is not sent yet */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        stats = plant_stats(&p);
    }
    double took_s = (double)(bench_now_ns() - begin_ns) / 1e9;
    if (stats.samples_stored != DURABLE) {
        bench_fail("%llu of %llu samples are stored", (unsigned long long)stats.samples_stored,
                   (unsigned long long)DURABLE);
    }
    plant_stop(&p);
    double written = (disk_bytes() - begin_bytes) / (double)DURABLE;
    report("durable, FULL", "samples/s", (double)DURABLE / took_s, SQLITE, plain.samples_per_s, 3e5, json);
    report("written in a life, FULL", "B/sample", written, SQLITE, plain.written, 60, json);
}

/* How many samples fit: a file has its full size from the beginning. */
static void run_room(const sqlite_figures *plain, bool json) {
    const uint64_t most_bytes = UINT64_C(64) << 20;
    const size_t samples = 1000;
    spb_store_options options = {
        .max_bytes = most_bytes, .policy = SPB_STORE_DROP_NEWEST, .sync = SPB_STORE_SYNC_NORMAL};
    spb_store *store;
    spb_error err;
    remove_files("full.spb");
    if (spb_store_open(&store, path_of("full.spb"), "Plant", "Gateway", &options, &err) != SPB_OK) {
        bench_fail("%s", err.text);
    }
    size_t len = samples * plant_sample_bytes();
    uint8_t *metrics = bench_allocate(len, 1);
    spb_block block = {.device_id = spb_str_from("Device0"),
                       .samples = (uint32_t)samples,
                       .first_ms = PLANT_TIME_MS,
                       .last_ms = PLANT_TIME_MS + 1000,
                       .metrics = {metrics, len}};
    uint64_t stored = 0;
    do {
        block.id++;
        stored += samples;
        if (block.id % 50 == 0 && store->commit(store, &err) != SPB_OK) {
            bench_fail("%s", err.text);
        }
    } while (store->append(store, &block, &err) == SPB_OK);
    stored -= samples;
    if (err.status != SPB_ERR_LIMIT) {
        bench_fail("%s", err.text);
    }
    store->free(store);
    free(metrics);
    remove_files("full.spb");
    report("on the disk", "B/sample", (double)most_bytes / (double)stored, SQLITE, plain->held, 30, json);
}

int bench_store(bool json) {
    strcpy(directory, "/var/tmp/spb-bench-XXXXXX"); /* a disk, where /tmp may be memory */
    if (!mkdtemp(directory)) {
        bench_fail("%s: %s", directory, strerror(errno));
    }
    broker *server = broker_new();
    broker_start(server);
    listener *subscriber = listener_start(broker_port(server));
    sqlite_figures plain = run_sqlite("NORMAL", ROWS, ROWS_PER_COMMIT);
    double written = run_outage(&plain, json);
    run_replay(server, subscriber, &plain, written, json);
    run_room(&plain, json);
    run_durable(json);
    remove_files("node.spb");
    rmdir(directory);
    listener_stop(subscriber);
    broker_free(server);
    return 0;
}
