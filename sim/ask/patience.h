/* How long TCP waits for somebody who does not answer: each retransmission after twice the time of the one before, then the connection fails (ETIMEDOUT). That is for
 * data that was sent; a connection that is silent notices nothing, but for its keepalive. Source: linux net/ipv4/tcp_timer.c, Documentation/networking/ip-sysctl.rst. */
#ifndef PODWIRE_PATIENCE_H
#define PODWIRE_PATIENCE_H

#include "model/control/control.h"

#define TCP_RETRIES2     15             /* net.ipv4.tcp_retries2 */
#define KEEPALIVE_PROBES 9              /* net.ipv4.tcp_keepalive_probes */

struct patience { nsec at[TCP_RETRIES2]; nsec give_up, keepalive; };    /* after the first sending; keepalive: after the last word, where SO_KEEPALIVE is set */
struct patience tcp_patience(void);

#endif
