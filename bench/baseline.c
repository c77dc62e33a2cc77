/* The least that a sender can do: take mbufs from a small pool, send them, touch no byte of a frame.
 *
 * usage: baseline [EAL options] -- SECONDS alloc|raw
 *   alloc  rte_pktmbuf_alloc_bulk and the two lengths: what any DPDK program writes
 *   raw    rte_mempool_get_bulk of mbufs that were prepared once: what no program can beat
 * It prints one JSON object: packets, wall_ns and the worker's own cpu_ns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

enum { BURST = 64, MBUFS = 2047, CACHE = 256, DESCRIPTORS = 1024, FRAME = 60 };

struct job {
	struct rte_mempool *pool;
	double seconds;
	int raw;
	uint64_t packets, wall_ns, cpu_ns;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void prepare(struct rte_mempool *pool, void *arg, void *object, unsigned int index)
{
	struct rte_mbuf *m = object;

	(void)pool;
	(void)arg;
	(void)index;
	rte_pktmbuf_reset(m);
	m->data_len = FRAME;
	m->pkt_len = FRAME;
	memset(rte_pktmbuf_mtod(m, char *), 0, FRAME);
}

static int take(struct job *job, struct rte_mbuf **burst)
{
	if (job->raw)
		return rte_mempool_get_bulk(job->pool, (void **)burst, BURST);
	if (rte_pktmbuf_alloc_bulk(job->pool, burst, BURST) != 0)
		return -1;
	for (int i = 0; i < BURST; i++) {
		burst[i]->data_len = FRAME;
		burst[i]->pkt_len = FRAME;
	}
	return 0;
}

static int send_loop(void *arg)
{
	struct job *job = arg;
	struct rte_mbuf *burst[BURST];
	uint64_t wall = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t deadline = rte_rdtsc() + (uint64_t)(job->seconds * (double)rte_get_tsc_hz());

	while (rte_rdtsc() < deadline) {
		if (take(job, burst) != 0)
			return -1;
		uint16_t sent = rte_eth_tx_burst(0, 0, burst, BURST);

		if (sent < BURST)
			rte_pktmbuf_free_bulk(burst + sent, BURST - sent);
		job->packets += sent;
	}
	job->wall_ns = now_ns(CLOCK_MONOTONIC) - wall;
	job->cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	return 0;
}

static int set_up_port(struct rte_mempool *pool)
{
	struct rte_eth_conf conf;

	memset(&conf, 0, sizeof(conf));
	if (rte_eth_dev_configure(0, 1, 1, &conf) != 0)
		return -1;
	if (rte_eth_rx_queue_setup(0, 0, DESCRIPTORS, rte_socket_id(), NULL, pool) != 0)
		return -1;
	if (rte_eth_tx_queue_setup(0, 0, DESCRIPTORS, rte_socket_id(), NULL) != 0)
		return -1;
	return rte_eth_dev_start(0);
}

int main(int argc, char **argv)
{
	struct job job = {0};
	unsigned int worker;
	int used = rte_eal_init(argc, argv);

	if (used < 0 || argc - used != 3)
		return fprintf(stderr, "usage: baseline [EAL options] -- SECONDS alloc|raw\n"), 2;
	job.seconds = atof(argv[used + 1]);
	job.raw = strcmp(argv[used + 2], "raw") == 0;
	job.pool = rte_pktmbuf_pool_create("frames", MBUFS, CACHE, 0, 2048 + RTE_PKTMBUF_HEADROOM, rte_socket_id());
	if (job.pool == NULL || set_up_port(job.pool) != 0)
		return fprintf(stderr, "baseline: no pool or no port: %s\n", rte_strerror(rte_errno)), 1;
	rte_mempool_obj_iter(job.pool, prepare, NULL);
	worker = rte_get_next_lcore(-1, 1, 0);
	if (worker == RTE_MAX_LCORE || rte_eal_remote_launch(send_loop, &job, worker) != 0)
		return fprintf(stderr, "baseline: give it two lcores, e.g. -l 0,1\n"), 1;
	while (rte_eal_get_lcore_state(worker) == RUNNING)
		rte_delay_us_sleep(1000); /* rte_eal_wait_lcore would spin beside the measurement */
	if (rte_eal_wait_lcore(worker) != 0)
		return fprintf(stderr, "baseline: the pool ran dry\n"), 1;
	printf("{\"packets\":%" PRIu64 ",\"wall_ns\":%" PRIu64 ",\"cpu_ns\":%" PRIu64 "}\n", job.packets, job.wall_ns,
	       job.cpu_ns);
	return rte_eth_dev_stop(0) != 0 || rte_eal_cleanup() != 0;
}
