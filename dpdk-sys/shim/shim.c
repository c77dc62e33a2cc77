/* Bodies for what DPDK only offers inline. One line each, no decisions. */
#include "shim.h"

#include <rte_dev.h>

#if RTE_VERSION < RTE_VERSION_NUM(22, 11, 0, 0)
#error "DPDK 22.11 or later is needed"
#endif

/* DPDK 25.11 moved the per-queue counters out of struct rte_eth_stats, into xstats. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 11, 0, 0)
uint32_t shim_queue_stats_max(void)
{
	return RTE_ETHDEV_QUEUE_STAT_CNTRS;
}

void shim_queue_stats(const struct rte_eth_stats *stats, uint32_t queue, struct shim_queue_stats *out)
{
	out->rx_packets = stats->q_ipackets[queue];
	out->rx_bytes = stats->q_ibytes[queue];
	out->tx_packets = stats->q_opackets[queue];
	out->tx_bytes = stats->q_obytes[queue];
	out->errors = stats->q_errors[queue];
}
#else
uint32_t shim_queue_stats_max(void)
{
	return 0;
}

void shim_queue_stats(const struct rte_eth_stats *stats, uint32_t queue, struct shim_queue_stats *out)
{
	(void)stats;
	(void)queue;
	*out = (struct shim_queue_stats){0};
}
#endif

int shim_link_get_nowait(uint16_t port, struct shim_link *out)
{
	struct rte_eth_link link = {0};
	int status = rte_eth_link_get_nowait(port, &link);

	out->speed_mbps = link.link_speed;
	out->up = link.link_status;
	out->full_duplex = link.link_duplex;
	return status;
}

const char *shim_device_name(const struct rte_device *device)
{
	return rte_dev_name(device);
}

const char *shim_version(void)
{
	return rte_version();
}

int shim_errno(void)
{
	return rte_errno;
}

uint32_t shim_lcore_id(void)
{
	return rte_lcore_id();
}

int shim_mempool_get_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, uint32_t count)
{
	return rte_mempool_get_bulk(pool, (void **)mbufs, count);
}

void shim_mempool_put_bulk(struct rte_mempool *pool, struct rte_mbuf *const *mbufs, uint32_t count)
{
	rte_mempool_put_bulk(pool, (void *const *)mbufs, count);
}

void shim_mempool_cache_flush(struct rte_mempool *pool)
{
	rte_mempool_cache_flush(NULL, pool);
}

uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, mbufs, count);
}

uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_rx_burst(port, queue, mbufs, count);
}
