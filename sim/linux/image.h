/* The two small static programs that podwire carries in itself: pause, and the server that stands in every container (static/). */
#ifndef PODWIRE_IMAGE_H
#define PODWIRE_IMAGE_H

extern const unsigned char pause_image[], pause_image_end[], workload_image[], workload_image_end[];

#endif
