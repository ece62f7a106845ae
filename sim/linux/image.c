#include "sim/linux/image.h"

#ifndef IMAGE_DIR
#define IMAGE_DIR "build"
#endif

#define EMBED(name, file)                                                                               \
	__asm__(".section .rodata\n.balign 16\n.globl " name "\n" name ":\n.incbin \"" IMAGE_DIR "/" file "\"\n" \
		".globl " name "_end\n" name "_end:\n.byte 0\n.previous\n")

EMBED("pause_image", "pause");
EMBED("workload_image", "workload");
