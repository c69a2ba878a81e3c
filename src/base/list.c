/* Decides nothing but the order of arrival. */
#include "base/list.h"

void spb_list__push_behind(spb_list *list, spb_list_link *ahead, spb_list_link *link) {
    if (link->list) {
        return;
    }
    *link = (spb_list_link){.previous = ahead, .next = ahead ? ahead->next : list->first, .list = list};
    *(link->previous ? &link->previous->next : &list->first) = link;
    *(link->next ? &link->next->previous : &list->last) = link;
}

void spb_list__push(spb_list *list, spb_list_link *link) {
    spb_list__push_behind(list, list->last, link);
}

void spb_list__push_front(spb_list *list, spb_list_link *link) {
    spb_list__push_behind(list, NULL, link);
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
