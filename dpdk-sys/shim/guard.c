/*
 * Bursts that survive the driver's own fault. net_memif unmaps the shared rings in DPDK's interrupt thread when the peer
 * goes away, without a lock against a thread that is polling them (22.11 to 25.11): that thread is hit by SIGSEGV or
 * SIGBUS. A guarded burst returns -1 then. The interrupted code is the driver's copy loop, which holds no lock; a few
 * mbufs may be lost.
 */
#include <setjmp.h>
#include <signal.h>

#include "shim.h"

/* Where to go on, while this thread is in a guarded burst. */
static __thread sigjmp_buf *volatile guard;

static struct sigaction before_segv, before_bus;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	sigjmp_buf *resume = guard;

	(void)info;
	(void)context;
	if (resume != NULL) {
		guard = NULL;
		siglongjmp(*resume, 1);
	}
	/* Not a guarded burst: the faulting instruction runs again under the handler that was there before. */
	sigaction(signal_number, signal_number == SIGBUS ? &before_bus : &before_segv, NULL);
}

int shim_guard_install(void)
{
	struct sigaction action = {0};

	/* NODEFER, as the handler is left by a jump that does not restore the mask; on the thread's alternate stack, if any. */
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, &action, &before_segv) != 0)
		return -1;
	return sigaction(SIGBUS, &action, &before_bus);
}

int32_t shim_tx_burst_guarded(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	sigjmp_buf here;
	uint16_t sent;

	if (sigsetjmp(here, 0) != 0)
		return -1;
	guard = &here;
	sent = rte_eth_tx_burst(port, queue, mbufs, count);
	guard = NULL;
	return sent;
}

int32_t shim_rx_burst_guarded(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	sigjmp_buf here;
	uint16_t received;

	if (sigsetjmp(here, 0) != 0)
		return -1;
	guard = &here;
	received = rte_eth_rx_burst(port, queue, mbufs, count);
	guard = NULL;
	return received;
}
