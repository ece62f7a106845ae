/* The first process of every namespace that podwire makes: it keeps the namespace, takes in orphans, and ends on SIGTERM or SIGINT. Nothing of a C library is
 * linked, so that a thousand of them weigh little. */
#include <linux/signal.h>
#include <linux/wait.h>
#include <stdint.h>
#include <sys/syscall.h>

/* x86-64 and arm64; on anything else the system call instruction is missing and this file says so. */
static long call(long n, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#else
#error "pause: add the system call instruction of this architecture"
#endif
}

void _start(void);
__attribute__((noreturn)) void _start(void)
{
	uint64_t all = ~UINT64_C(0);

	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof(all));
	for (;;) {
		long got = call(SYS_rt_sigtimedwait, (long)&all, 0, 0, sizeof(all));

		if (got == SIGTERM || got == SIGINT)
			break;
		while (got == SIGCHLD && call(SYS_wait4, -1, 0, WNOHANG, 0) > 0)
			;
	}
	call(SYS_exit_group, 0, 0, 0, 0);
	__builtin_unreachable();
}
