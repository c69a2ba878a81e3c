/* Decides nothing: it adds up, by looking at every block, what the session's counters must say. */
#include "core/balance.h"

#include "core/session.h"

static uint64_t waiting_of(const spb_list *entities) {
    uint64_t samples = 0;
    for (spb_list_link *at = entities->first; at; at = at->next) {
        const spb_entity *entity = SPB_LINKED(at, spb_entity, of_outbox);
        for (spb_list_link *link = entity->live.first; link; link = link->next) {
            samples += SPB_LINKED(link, spb_outbox_block, of_live)->samples;
        }
        for (spb_list_link *link = entity->unstored.first; link; link = link->next) {
            const spb_outbox_block *block = SPB_LINKED(link, spb_outbox_block, of_entity);
            samples += block->kind == SPB_BLOCK_HISTORY ? block->samples : 0;
        }
    }
    return samples;
}

void spb_session__balance(const spb_session *session, spb_balance *out) {
    const spb_stats *s = &session->stats;
    const spb_outbox *outbox = &session->outbox;
    *out = (spb_balance){.in = s->samples_accepted + outbox->stored_before + session->repeated,
                         .underway = s->samples_unconfirmed,
                         .in_journal = outbox->in_journal,
                         .arrived = s->samples_confirmed - outbox->reopened};
    out->waiting = session->unsent + waiting_of(&outbox->entities) + waiting_of(&outbox->strangers);
    out->dropped = s->samples_suppressed + s->samples_dropped_offline + s->samples_dropped_overflow +
                   s->samples_dropped_lost + s->samples_dropped_choice + s->samples_dropped_gone +
                   s->samples_dropped_age + s->samples_dropped_disk + outbox->dropped_by_store;
}
