/*
 * A message as one JSON object on one line. Keys appear in this order; what a message does not have is left out.
 *
 *   time        when it was captured, in ms since 1970 UTC
 *   out of a .pcap or .pcapng only:
 *     packet      number of the captured packet that completes it, from 1
 *     connection  number of the TCP connection, from 1
 *     direction   "from_client": it is being published; "to_client": a server sends it to a subscriber
 *     client      client id; left out if its CONNECT was not captured
 *     address     of the client, "10.0.0.7:40001"
 *     qos         0, 1, 2
 *     retain      true or false
 *     is_duplicate  (the DUP flag) only when true
 *     is_copy     only when true, and with --all: the same message was shown before, on another connection
 *   topic       as it was captured
 *   kind        "NBIRTH" … "STATE"
 *   group, node, device, or for STATE host, online
 *   timestamp   of the payload, in ms since 1970 UTC
 *   seq         0 … 255
 *   remark      what is odd: "seq 5 expected", "after DDEATH", "named by a later birth"
 *   uuid        string
 *   body        bytes
 *   metrics     array of:
 *     name            from the message, or by its alias from the birth; left out if no birth explains it
 *     alias           number
 *     timestamp       ms since 1970 UTC
 *     type            "Int32" …, from the message or the birth; "Unknown" if neither has it
 *     unit            the property engUnit, from the message or the birth
 *     is_historical, is_transient, is_null   only when true
 *     value           left out if is_null; null if the message has none although it should
 *     metadata        {is_multi_part, content_type, size, seq, file_name, file_type, md5, description}
 *     properties      {KEY: {type, is_null, value}, …}
 *
 * With --unfold, each part of an array, DataSet or Template is a metric: Levels[3], Recipe[0].Step, M1/RPM.
 *
 * The schema is stable: keys may be added, but none changes its meaning or goes away.
 *
 * Values: integers and DateTime (ms) are JSON integers, also beyond 2^53. Float and Double are the shortest decimals
 * that read back as the same number; NaN and the infinities are the strings "NaN", "Infinity", "-Infinity". Bytes and
 * File are base64. Arrays are arrays. A DataSet is {columns, types, rows: [[cell, …], …]}, with null cells as null. A
 * Template is {version, template_ref, is_definition, metrics: [as above], parameters: [{name, type, is_null, value}]}.
 * A PropertySet is like `properties`, a PropertySetList an array of them. In strings, each byte that is not UTF-8
 * becomes U+FFFD. A value of unknown type has the form that its field on the wire suggests; integers count as unsigned.
 */
#ifndef SPB_CLI_JSON_MESSAGE_H
#define SPB_CLI_JSON_MESSAGE_H

#include "cli/message.h"
#include "cli/out.h"

void json_message_write(out *to, const message *m);
/* A value alone. */
void json_message_write_value(out *to, const metric_view *view);

#endif
