/* Decides which rule a payload breaks that cannot be decoded. The library decodes strictly, and its words say what it
 * refuses and where; a test holds both together. */
#include <string.h>

#include "check/judge.h"

typedef struct reason {
    const char *words; /* in the error's text */
    const char *where; /* in its path, too; "": anywhere */
    check_rule_number rule;
} reason;

/* The first one that fits. */
static const reason reasons[] = {
    {"property set with not as many values as keys", "", RULE_PROPERTY_COUNT},
    {"num_of_columns, columns and types of the DataSet disagree", "", RULE_DATASET_COLUMNS},
    {"a row with not as many elements", "", RULE_DATASET_CELLS},
    {"a metric with neither name nor alias", "", RULE_METRIC_NAME},
    {"a datatype that cannot stand here", "dataset_value", RULE_DATASET_TYPES},
    {"a datatype that cannot stand here", "parameters", RULE_PARAMETER_TYPE},
    {"a datatype that cannot stand here", "properties", RULE_PROPERTY_TYPE},
    {"a datatype that cannot stand here", "", RULE_DATATYPE_VALUE},
};

static bool find_reason(const spb_error *why, check_rule_number *rule) {
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (strstr(why->text, reasons[i].words) && strstr(why->text, reasons[i].where)) {
            *rule = reasons[i].rule;
            return true;
        }
    }
    /* A value in a field that its own datatype does not have, or beyond its range. */
    if (why->status == SPB_ERR_TYPE || why->status == SPB_ERR_RANGE) {
        *rule = strstr(why->text, "dataset_value") ? RULE_DATASET_CELLS
                : strstr(why->text, "parameters")  ? RULE_PARAMETER_TYPE
                                                   : RULE_VALUE_TYPE;
        return true;
    }
    return false;
}

void check__undecodable(check *c, spb_kind kind, const spb_error *why) {
    check_rule_number rule = kind == SPB_KIND_NBIRTH   ? RULE_NBIRTH_PAYLOAD
                             : kind == SPB_KIND_DBIRTH ? RULE_DBIRTH_PAYLOAD
                                                       : RULE_OTHER_PAYLOAD;
    const char *verb = find_reason(why, &rule) ? "" : "cannot be decoded: ";
    if (why->offset == SPB_NO_OFFSET) {
        check__report(c, rule, "%s%s", verb, why->text);
    } else {
        check__report(c, rule, "%s%s at byte %zu of the payload", verb, why->text, why->offset);
    }
}
