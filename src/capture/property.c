/* Decides what a property is, by its number. Which ones matter is left to mqtt_packet.c. */
#include "capture/property.h"

typedef enum form { FORM_NONE, FORM_BYTE, FORM_U16, FORM_U32, FORM_VARINT, FORM_TEXT, FORM_BINARY, FORM_PAIR } form;

static form form_of(uint8_t id) {
    static const uint8_t forms[] = {
        [0x01] = FORM_BYTE,   [0x02] = FORM_U32,  [0x03] = FORM_TEXT, [0x08] = FORM_TEXT, [0x09] = FORM_BINARY,
        [0x0B] = FORM_VARINT, [0x11] = FORM_U32,  [0x12] = FORM_TEXT, [0x13] = FORM_U16,  [0x15] = FORM_TEXT,
        [0x16] = FORM_BINARY, [0x17] = FORM_BYTE, [0x18] = FORM_U32,  [0x19] = FORM_BYTE, [0x1A] = FORM_TEXT,
        [0x1C] = FORM_TEXT,   [0x1F] = FORM_TEXT, [0x21] = FORM_U16,  [0x22] = FORM_U16,  [0x23] = FORM_U16,
        [0x24] = FORM_BYTE,   [0x25] = FORM_BYTE, [0x26] = FORM_PAIR, [0x27] = FORM_U32,  [0x28] = FORM_BYTE,
        [0x29] = FORM_BYTE,   [0x2A] = FORM_BYTE};
    return id < sizeof forms ? (form)forms[id] : FORM_NONE;
}

static uint32_t take_varint(cursor *c) {
    uint32_t number = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t byte = cursor_u8(c);
        number |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    c->is_short = true;
    return 0;
}

spb_bytes property_block(cursor *c) {
    uint32_t len = take_varint(c);
    return cursor_take(c, len);
}

bool property_next(cursor *block, property *out) {
    if (block->left.len == 0 || block->is_short) {
        return false;
    }
    *out = (property){.id = cursor_u8(block)};
    switch (form_of(out->id)) {
    case FORM_NONE: block->is_short = true; break;
    case FORM_BYTE: out->number = cursor_u8(block); break;
    case FORM_U16: out->number = cursor_u16(block); break;
    case FORM_U32: out->number = cursor_u32(block); break;
    case FORM_VARINT: out->number = take_varint(block); break;
    case FORM_TEXT: out->text = cursor_str(block); break;
    case FORM_BINARY: (void)cursor_block(block); break;
    case FORM_PAIR:
        (void)cursor_block(block);
        (void)cursor_block(block);
        break;
    }
    return !block->is_short;
}

bool property_block_is_sound(spb_bytes block) {
    cursor c = {.left = block};
    property ignored;
    while (property_next(&c, &ignored)) {
    }
    return !c.is_short;
}

bool property_block_is_of_publish(spb_bytes block) {
    cursor c = {.left = block};
    property p;
    while (property_next(&c, &p)) {
        bool is_of_publish = p.id <= 0x0B || p.id == PROPERTY_TOPIC_ALIAS || p.id == 0x26;
        if (!is_of_publish) {
            return false;
        }
    }
    return !c.is_short;
}
