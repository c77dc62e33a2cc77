/* What the bindings see of DPDK: its headers, its inline functions by name, its layouts as numbers. */
#ifndef DPDK_SHIM_H
#define DPDK_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_version.h>

/* struct rte_mbuf has anonymous unions that move between releases: only these numbers are used. */
enum {
	SHIM_MBUF_SIZE = sizeof(struct rte_mbuf),
	SHIM_MBUF_BUF_ADDR = offsetof(struct rte_mbuf, buf_addr),
	SHIM_MBUF_DATA_OFF = offsetof(struct rte_mbuf, data_off),
	SHIM_MBUF_REFCNT = offsetof(struct rte_mbuf, refcnt),
	SHIM_MBUF_NB_SEGS = offsetof(struct rte_mbuf, nb_segs),
	SHIM_MBUF_PORT = offsetof(struct rte_mbuf, port),
	SHIM_MBUF_OL_FLAGS = offsetof(struct rte_mbuf, ol_flags),
	SHIM_MBUF_PKT_LEN = offsetof(struct rte_mbuf, pkt_len),
	SHIM_MBUF_DATA_LEN = offsetof(struct rte_mbuf, data_len),
	SHIM_MBUF_BUF_LEN = offsetof(struct rte_mbuf, buf_len),
	SHIM_MBUF_NEXT = offsetof(struct rte_mbuf, next),
	SHIM_MBUF_TX_OFFLOAD = offsetof(struct rte_mbuf, tx_offload),
	SHIM_MBUF_HEADROOM = RTE_PKTMBUF_HEADROOM,
	SHIM_MBUF_L2_LEN_BITS = RTE_MBUF_L2_LEN_BITS,
	SHIM_MBUF_L3_LEN_BITS = RTE_MBUF_L3_LEN_BITS,
	SHIM_MBUF_PORT_NONE = RTE_MBUF_PORT_INVALID,
	SHIM_MEMPOOL_CACHE_MAX = RTE_MEMPOOL_CACHE_MAX_SIZE,
	SHIM_MQ_RX_NONE = RTE_ETH_MQ_RX_NONE,
	SHIM_MQ_RX_RSS = RTE_ETH_MQ_RX_RSS,
	SHIM_FC_NONE = RTE_ETH_FC_NONE,
	SHIM_FC_RX_PAUSE = RTE_ETH_FC_RX_PAUSE,
	SHIM_FC_TX_PAUSE = RTE_ETH_FC_TX_PAUSE,
	SHIM_FC_FULL = RTE_ETH_FC_FULL,
	SHIM_RETA_GROUP = 64, /* RTE_RETA_GROUP_SIZE, RTE_ETH_RETA_GROUP_SIZE in later releases */
};

static const int32_t SHIM_SOCKET_ANY = SOCKET_ID_ANY;

/* Cast macros, which bindgen cannot read. */
static const uint64_t SHIM_RSS_WANTED = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;
static const uint64_t SHIM_RSS_IPV4 = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER;
static const uint64_t SHIM_RSS_IPV6 = RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER |
				      RTE_ETH_RSS_IPV6_EX;
static const uint64_t SHIM_RSS_UDP = RTE_ETH_RSS_UDP;
static const uint64_t SHIM_RSS_TCP = RTE_ETH_RSS_TCP;
static const uint64_t SHIM_TX_IPV4_CKSUM = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
static const uint64_t SHIM_TX_UDP_CKSUM = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
static const uint64_t SHIM_TX_TCP_CKSUM = RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
static const uint64_t SHIM_TX_FAST_FREE = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
static const uint64_t SHIM_TX_MULTI_SEGS = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
static const uint64_t SHIM_RX_VLAN_FILTER = RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
static const uint64_t SHIM_RX_CHECKSUM = RTE_ETH_RX_OFFLOAD_CHECKSUM;
static const uint64_t SHIM_RX_SCATTER = RTE_ETH_RX_OFFLOAD_SCATTER;
static const uint64_t SHIM_RX_RSS_HASH = RTE_ETH_RX_OFFLOAD_RSS_HASH;
static const uint64_t SHIM_MBUF_TX_IP_CKSUM = RTE_MBUF_F_TX_IP_CKSUM;
static const uint64_t SHIM_MBUF_TX_UDP_CKSUM = RTE_MBUF_F_TX_UDP_CKSUM;
static const uint64_t SHIM_MBUF_TX_TCP_CKSUM = RTE_MBUF_F_TX_TCP_CKSUM;
static const uint32_t SHIM_IOVA_VA = RTE_IOVA_VA;
static const uint64_t SHIM_MBUF_TX_IPV4 = RTE_MBUF_F_TX_IPV4;
static const uint64_t SHIM_MBUF_TX_IPV6 = RTE_MBUF_F_TX_IPV6;

/* A link as plain numbers: struct rte_eth_link is bit fields, and a union in later releases. */
struct shim_link {
	uint32_t speed_mbps;
	uint8_t up;
	uint8_t full_duplex;
};

/* One queue's share of struct rte_eth_stats. Zero where this DPDK keeps none. */
struct shim_queue_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t errors;
};

uint32_t shim_queue_stats_max(void);
void shim_queue_stats(const struct rte_eth_stats *stats, uint32_t queue, struct shim_queue_stats *out);
int shim_link_get_nowait(uint16_t port, struct shim_link *out);
const char *shim_device_name(const struct rte_device *device);

const char *shim_version(void);
int shim_errno(void);
uint32_t shim_lcore_id(void);

/* The hot path: one call a burst. */
int shim_mempool_get_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, uint32_t count);
void shim_mempool_put_bulk(struct rte_mempool *pool, struct rte_mbuf *const *mbufs, uint32_t count);
void shim_mempool_cache_flush(struct rte_mempool *pool);
uint16_t shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
uint16_t shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);

/* guard.c: bursts that return -1 where the driver faults. Install the handler once a process, before the first. */
int shim_guard_install(void);
int32_t shim_tx_burst_guarded(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
int32_t shim_rx_burst_guarded(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);

#endif
