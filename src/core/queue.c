/* Decides nothing but the order of arrival. */
#include "core/queue.h"

#include "core/table.h"

void spb_queue__push(spb_queue *queue, spb_device *device) {
    spb_queue_link *link = &device->links[queue->kind];
    if (link->is_in) {
        return;
    }
    *link = (spb_queue_link){.previous = queue->last, .is_in = true};
    if (queue->last) {
        queue->last->links[queue->kind].next = device;
    } else {
        queue->first = device;
    }
    queue->last = device;
}

void spb_queue__remove(spb_queue *queue, spb_device *device) {
    spb_queue_link *link = &device->links[queue->kind];
    if (!link->is_in) {
        return;
    }
    if (link->previous) {
        link->previous->links[queue->kind].next = link->next;
    } else {
        queue->first = link->next;
    }
    if (link->next) {
        link->next->links[queue->kind].previous = link->previous;
    } else {
        queue->last = link->previous;
    }
    *link = (spb_queue_link){0};
}
