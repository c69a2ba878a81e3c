/* Decides nothing but the order of arrival. */
#include "base/list.h"

void spb_list__push(spb_list *list, spb_list_link *link) {
    if (link->list) {
        return;
    }
    *link = (spb_list_link){.previous = list->last, .list = list};
    *(list->last ? &list->last->next : &list->first) = link;
    list->last = link;
}

void spb_list__push_front(spb_list *list, spb_list_link *link) {
    if (link->list) {
        return;
    }
    *link = (spb_list_link){.next = list->first, .list = list};
    *(list->first ? &list->first->previous : &list->last) = link;
    list->first = link;
}

void spb_list__remove(spb_list_link *link) {
    if (!link->list) {
        return;
    }
    *(link->previous ? &link->previous->next : &link->list->first) = link->next;
    *(link->next ? &link->next->previous : &link->list->last) = link->previous;
    *link = (spb_list_link){.list = NULL};
}

void spb_list__set(spb_list *list, spb_list_link *link, bool is_in) {
    if (is_in) {
        spb_list__push(list, link);
    } else {
        spb_list__remove(link);
    }
}
