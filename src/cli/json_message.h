/* A message as one JSON object on one line. The section JSON of src/cli/help/decode.txt, which is a part of the man
 * page, has its keys; they are stable. json_record.h is the way back. */
#ifndef SPB_CLI_JSON_MESSAGE_H
#define SPB_CLI_JSON_MESSAGE_H

#include "cli/message.h"
#include "cli/out.h"

void json_message_write(out *to, const message *m);
/* A value alone. */
void json_message_write_value(out *to, const metric_view *view);

#endif
