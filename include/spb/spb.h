/* libspb: a Sparkplug B edge node in C. This header includes all the others. */
#ifndef SPB_SPB_H
#define SPB_SPB_H

#include <spb/metric.h>
#include <spb/node.h>
#include <spb/payload.h>
#include <spb/session.h>
#include <spb/status.h>
#include <spb/store.h>
#include <spb/topic.h>
#include <spb/transport.h>
#include <spb/value.h>
#include <spb/version.h>

#endif
