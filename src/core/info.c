/*
 * Decides which metrics of the NBIRTH are the session's own, and what they say at that moment. Hosts keep a folder
 * `Node Info` of their own (Online, Birth Count, Current Server …): the names here are none of theirs.
 */
#include <string.h>

#include <spb/version.h>

#include "core/info.h"

#include "core/session.h"

typedef struct fact_list {
    spb_birth_fact *items;
    size_t count;
} fact_list;

static void add(fact_list *list, const char *name, spb_value value) {
    list->items[list->count++] = (spb_birth_fact){.name = name, .value = value};
}

/* Samples that the journal should have kept and did not, for whatever reason. */
static uint64_t dropped_in_store(const spb_session *session) {
    const spb_stats *stats = &session->stats;
    const spb_store_info *journal = &session->outbox.journal.info;
    return stats->samples_dropped_disk + stats->samples_dropped_gone + stats->samples_dropped_age +
           journal->dropped_full + journal->dropped_age + journal->dropped_damage;
}

size_t spb_session__birth_facts(const spb_session *session, spb_birth_fact facts[SPB_MAX_BIRTH_FACTS]) {
    fact_list list = {.items = facts};
    const spb_stats *stats = &session->stats;
    uint32_t info = session->options.node_info;
    add(&list, SPB_METRIC_BDSEQ, spb_int64(session->bdseq.number));
    add(&list, SPB_METRIC_REBIRTH, spb_boolean(false)); /* tck-id-operational-behavior-data-commands-rebirth-value */
    if (session->options.next_server_metric) {
        add(&list, SPB_METRIC_NEXT_SERVER, spb_boolean(false));
    }
    if (info & SPB_NODE_INFO_LIBRARY) {
        add(&list, "Node Info/Library", spb_string("libspb"));
        add(&list, "Node Info/Library Version", spb_string(spb_version()));
    }
    if (info & SPB_NODE_INFO_SERVER) {
        add(&list, "Node Info/Server", spb_string(spb_servers__current(&session->servers)->uri));
    }
    if (info & SPB_NODE_INFO_COUNTERS) {
        add(&list, "Node Info/Connects", spb_uint64(stats->connects));
        add(&list, "Node Info/Connections Lost", spb_uint64(stats->connections_lost));
        add(&list, "Node Info/Samples Published", spb_uint64(stats->samples_published));
        add(&list, "Node Info/Samples Dropped",
            spb_uint64(stats->samples_dropped_offline + stats->samples_dropped_overflow + stats->samples_dropped_lost));
    }
    if (info & SPB_NODE_INFO_STORE) {
        const spb_store_info *journal = &session->outbox.journal.info;
        add(&list, "Node Info/Store/Samples", spb_uint64(stats->samples_in_journal));
        add(&list, "Node Info/Store/Bytes", spb_uint64(journal->bytes));
        add(&list, "Node Info/Store/Oldest", spb_datetime(journal->oldest_ms));
        add(&list, "Node Info/Store/Replayed", spb_uint64(stats->samples_replayed));
        add(&list, "Node Info/Store/Dropped", spb_uint64(dropped_in_store(session)));
    }
    return list.count;
}

bool spb_session__is_own_name(const spb_session *session, const char *name) {
    spb_birth_fact facts[SPB_MAX_BIRTH_FACTS];
    size_t count = spb_session__birth_facts(session, facts);
    size_t i = 0;
    while (i < count && strcmp(facts[i].name, name) != 0) {
        i++;
    }
    return i < count;
}
