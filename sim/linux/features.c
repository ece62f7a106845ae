#include "sim/linux/features.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ip_vs.h>
#include <linux/pkt_sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/linux/enter.h"
#include "sim/linux/netlink.h"
#include "sim/linux/nft_run.h"
#include "sim/linux/run.h"

const struct feature_row feature_rows[FEATURE_COUNT] = {
	[FEATURE_NAMESPACES] = { "namespaces", "everything here" },
	[FEATURE_USER_NAMESPACES] = { "user namespaces", "labs of an ordinary user" },
	[FEATURE_OVERLAY] = { "overlayfs", "a root file system for commands in containers with volumes" },
	[FEATURE_VETH] = { "veth", "every Pod" },
	[FEATURE_BRIDGE] = { "bridge", "the network between nodes; flannel, bridge" },
	[FEATURE_VXLAN] = { "vxlan", "Calico's VXLAN pools, flannel" },
	[FEATURE_IPIP] = { "ipip", "Calico's IPIP pools" },
	[FEATURE_WIREGUARD] = { "wireguard", "not used yet" },
	[FEATURE_DUMMY] = { "dummy", "not used yet (kube-proxy's IPVS mode has one)" },
	[FEATURE_GRE] = { "gre", "not used yet" },
	[FEATURE_MACVLAN] = { "macvlan", "not used yet" },
	[FEATURE_IPVLAN] = { "ipvlan", "not used yet" },
	[FEATURE_VRF] = { "vrf", "not used yet" },
	[FEATURE_IFB] = { "ifb", "not used yet" },
	[FEATURE_TUN] = { "tun", "not used yet" },
	[FEATURE_TBF] = { "tbf", "not used yet" },
	[FEATURE_NETEM] = { "netem", "not used yet (delay and loss of fault link)" },
	[FEATURE_NFTABLES] = { "nf_tables", "kube-proxy's nftables mode, Calico's policies" },
	[FEATURE_NFT_NAT] = { "nft masquerade", "kube-proxy, natOutgoing" },
	[FEATURE_NFT_NUMGEN] = { "nft numgen", "the choice of an endpoint" },
	[FEATURE_NFT_FIB] = { "nft fib", "NodePorts" },
	[FEATURE_NFT_FLOWTABLE] = { "nft flowtable", "not used yet" },
	[FEATURE_IPTABLES] = { "iptables", "kube-proxy's iptables mode, flannel, portmap" },
	[FEATURE_IPSET] = { "ip_set", "Calico's policies beside kube-proxy's iptables mode" },
	[FEATURE_BR_NETFILTER] = { "br_netfilter", "Services between Pods of one bridge" },
	[FEATURE_IPVS] = { "ipvs", "not used yet (kube-proxy's IPVS mode)" },
	[FEATURE_IPV6] = { "IPv6", "dual-stack clusters" },
	[FEATURE_SCTP] = { "SCTP", "ports with protocol SCTP" },
	[FEATURE_BIRD] = { "bird", "up --bird" },
	[FEATURE_HAPROXY] = { "haproxy", "Ingress controllers and Gateways" },
	[FEATURE_DNSMASQ] = { "dnsmasq", "nothing: cluster DNS is podwire's own" },
	[FEATURE_CNI_PLUGINS] = { "CNI plugins", "up --cni-bin" },
	[FEATURE_OPENSSL] = { "openssl", "verify: requests by TLS" },
};

/* only: the kinds of links and queues that are tried, and nothing else is; NULL: everything. */
struct probing { struct features *out; const bool *only; struct nl nl; };

static void tell(struct features *f, enum feature which, bool there, const char *why)
{
	f->v[which].there = there;
	snprintf(f->v[which].why, sizeof(f->v[which].why), "%.*s", there ? 0 : (int)strcspn(why, "\n"), why);
}

static void tell_errno(struct features *f, enum feature which, bool there)
{
	tell(f, which, there, strerror(errno));
}

/* The last message of err, which begins anew. */
static void tell_err(struct features *f, enum feature which, bool there, struct err *err)
{
	tell(f, which, there, err->nr ? err->v[err->nr - 1].text : "failed");
	err_clear(err);
}

/* ---- links and queueing: the kernel knows the kind, or says that it does not */

static bool kind_known(struct nl *nl, bool queue, const char *kind, struct err *err)
{
	const struct ifinfomsg on_link = { .ifi_family = AF_UNSPEC };
	const struct tcmsg on_queue = { .tcm_family = AF_UNSPEC, .tcm_ifindex = 1, .tcm_parent = TC_H_ROOT };
	struct nlmsghdr *h = queue ? nl_begin(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &on_queue, sizeof(on_queue), err) :
				     nl_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &on_link, sizeof(on_link), err);
	struct nlattr *info = h && !queue ? mnl_attr_nest_start(h, IFLA_LINKINFO) : NULL;

	if (!h)
		return false;
	mnl_attr_put_strz(h, queue ? TCA_KIND : IFLA_INFO_KIND, kind);
	if (info)
		mnl_attr_nest_end(h, info);
	memcpy(nl->forgive, (const int[4]){ EINVAL, EEXIST, ENODEV, ERANGE }, sizeof(nl->forgive));     /* it wants to hear more: so it is there */
	return nl_send(nl, err);
}

static void try_kinds(struct probing *p)
{
	static const struct { enum feature which; const char *kind; bool queue; } tries[] = {
		{ FEATURE_VETH, "veth", false }, { FEATURE_BRIDGE, "bridge", false }, { FEATURE_VXLAN, "vxlan", false }, { FEATURE_IPIP, "ipip", false }, { FEATURE_WIREGUARD, "wireguard", false },
		{ FEATURE_DUMMY, "dummy", false }, { FEATURE_GRE, "gre", false }, { FEATURE_MACVLAN, "macvlan", false }, { FEATURE_IPVLAN, "ipvlan", false }, { FEATURE_VRF, "vrf", false },
		{ FEATURE_IFB, "ifb", false }, { FEATURE_TBF, "tbf", true }, { FEATURE_NETEM, "netem", true },
	};
	struct err err = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(tries); k++) {
		if (p->only && !p->only[tries[k].which])
			continue;
		tell(p->out, tries[k].which, kind_known(&p->nl, tries[k].queue, tries[k].kind, &err),
		     tries[k].queue ? "the kernel does not know this queueing discipline" : "the kernel does not know this kind of link");
		err_clear(&err);
	}
	err_free(&err);
}

/* ---- rules */

static void try_rules(struct features *f)
{
	static const struct { enum feature which; const char *rules; } tries[] = {
		{ FEATURE_NFTABLES, "table ip podwire { chain c { type filter hook input priority 0; accept; }; }" },
		{ FEATURE_NFT_NAT, "table ip podwire-nat { chain c { type nat hook postrouting priority 100; masquerade fully-random; }; }" },
		{ FEATURE_NFT_NUMGEN, "table ip podwire-numgen { chain a { accept; }; chain b { accept; }; chain c { numgen random mod 2 vmap { 0 : goto a, 1 : goto b }; }; }" },
		{ FEATURE_NFT_FIB, "table ip podwire-fib { chain c { type nat hook prerouting priority -100; fib daddr type local accept; }; }" },
		{ FEATURE_NFT_FLOWTABLE, "table ip podwire-flow { flowtable f { hook ingress priority 0; devices = { lo }; }; }" },
	};
	const char *const set[] = { "ipset", "create", "podwire", "hash:ip", NULL };
	static const char table[] = "*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n";
	const char *const restore[] = { "iptables-restore", NULL };
	struct err err = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(tries); k++)
		tell_err(f, tries[k].which, nft_run(tries[k].rules, 0, NULL, "a scratch namespace", &err), &err);
	tell_err(f, FEATURE_IPTABLES, run_program(restore, table, sizeof(table) - 1, NULL, &err), &err);
	tell_err(f, FEATURE_IPSET, run_program(set, "", 0, NULL, &err), &err);
	err_free(&err);
}

/* ---- the rest */

static bool socket_of(int family, int type, int proto)
{
	int fd = socket(family, type | SOCK_CLOEXEC, proto);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool cni_plugins(void)
{
	return access("/opt/cni/bin/bridge", X_OK) == 0 || access("/usr/lib/cni/bridge", X_OK) == 0 || access("/usr/libexec/cni/bridge", X_OK) == 0;
}

bool feature_there(enum feature which)
{
	static const struct { enum feature which; const char *name; } programs[] = {
		{ FEATURE_BIRD, "bird" }, { FEATURE_HAPROXY, "haproxy" }, { FEATURE_DNSMASQ, "dnsmasq" }, { FEATURE_OPENSSL, "openssl" },
	};

	for (size_t k = 0; k < ARRAY_LEN(programs); k++)
		if (programs[k].which == which)
			return program_there(programs[k].name);
	return which == FEATURE_IPV6 ? socket_of(AF_INET6, SOCK_DGRAM, 0) : which == FEATURE_SCTP ? socket_of(AF_INET, SOCK_STREAM, IPPROTO_SCTP) :
	       which == FEATURE_CNI_PLUGINS ? cni_plugins() : which == FEATURE_TUN && access("/dev/net/tun", R_OK | W_OK) == 0;
}

static void try_what_needs_no_namespace(struct features *f)
{
	static const struct { enum feature which; const char *why; } plain[] = {
		{ FEATURE_BIRD, "not installed (Debian: bird2)" }, { FEATURE_HAPROXY, "not installed (Debian: haproxy)" }, { FEATURE_DNSMASQ, "not installed (Debian: dnsmasq-base)" },
		{ FEATURE_OPENSSL, "not installed (Debian: openssl)" }, { FEATURE_CNI_PLUGINS, "not installed (Debian: containernetworking-plugins)" },
		{ FEATURE_IPV6, "the kernel has no IPv6" }, { FEATURE_SCTP, "the kernel has no SCTP" }, { FEATURE_TUN, "/dev/net/tun cannot be used" },
	};

	for (size_t k = 0; k < ARRAY_LEN(plain); k++)
		tell(f, plain[k].which, feature_there(plain[k].which), plain[k].why);
}

static bool user_namespace(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINVAL;
	return errno == 0;
}

static bool overlay(void)
{
	for (const char *const *dir = (const char *const[]){ "/run/upper", "/run/work", "/run/root", NULL }; *dir; dir++)
		mkdir(*dir, 0755);
	return mount("overlay", "/run/root", "overlay", 0, "lowerdir=/,upperdir=/run/upper,workdir=/run/work") == 0 ||
	       mount("overlay", "/run/root", "overlay", 0, "lowerdir=/,upperdir=/run/upper,workdir=/run/work,userxattr") == 0;
}

static bool ipvs(void)
{
	char version[64];
	socklen_t n = sizeof(version);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	bool there = fd >= 0 && getsockopt(fd, IPPROTO_IP, IP_VS_SO_GET_VERSION, version, &n) == 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return there;
}

static enum err_kind try_all(void *ctx, int said, struct err *err)
{
	struct probing *p = ctx;

	(void)said;
	tell(p->out, FEATURE_NAMESPACES, true, "");
	if (!nl_open(&p->nl, NETLINK_ROUTE, "a scratch namespace", err))
		return err_kind(err);
	try_kinds(p);
	nl_close(&p->nl);
	if (p->only)
		return ERR_NONE;
	try_rules(p->out);
	tell_errno(p->out, FEATURE_USER_NAMESPACES, user_namespace());
	tell_errno(p->out, FEATURE_OVERLAY, overlay());
	tell_errno(p->out, FEATURE_BR_NETFILTER, access("/proc/sys/net/bridge/bridge-nf-call-iptables", R_OK) == 0);
	tell(p->out, FEATURE_IPVS, ipvs(), "the kernel has no ip_vs");
	return ERR_NONE;
}

static bool probe(struct features *out, const bool *only, struct err *err)
{
	struct features *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct probing p = { .out = shared, .only = only };
	struct entered child;
	bool ok;

	*out = (struct features){ 0 };
	if (shared == MAP_FAILED)
		return err_add(err, ERR_MACHINE, NULL, "memory: %s", strerror(errno));
	ok = enter(try_all, &p, &child, err);
	if (ok) {
		ok = entered_result(&child, err) == ERR_NONE;
		entered_wait(&child);
	}
	*out = *shared;
	munmap(shared, sizeof(*shared));
	return ok;
}

bool features_probe(struct features *out, struct err *err)
{
	bool ok = probe(out, NULL, err);

	try_what_needs_no_namespace(out);
	return ok;
}

/* ---- what a cluster needs */

const char *features_missing(const struct dataplane *dp, struct arena *a)
{
	bool needed[FEATURE_COUNT] = { false };
	const enum feature optional[] = { FEATURE_VXLAN, FEATURE_IPIP };
	struct features have;
	struct err none = { 0 };
	bool any = false;

	for (uint32_t k = 1; k < dp->netns.nr; k++) {
		const struct netns *ns = netns_get(dp, (netns_h){ k });

		for (uint32_t i = 0; i < ns->links.nr; i++) {
			uint8_t kind = link_get(dp, netns_link(ns, i))->kind;

			needed[FEATURE_VXLAN] = needed[FEATURE_VXLAN] || kind == LINK_VXLAN;
			needed[FEATURE_IPIP] = needed[FEATURE_IPIP] || kind == LINK_IPIP;
		}
	}
	for (size_t k = 0; k < ARRAY_LEN(optional); k++)
		any = any || needed[optional[k]];
	if (!any || !probe(&have, needed, &none)) {
		err_free(&none);
		return NULL;            /* nothing can be said: what is missing comes as an error of its own */
	}
	for (size_t k = 0; k < ARRAY_LEN(optional); k++)
		if (needed[optional[k]] && !have.v[optional[k]].there)
			return arena_printf(a, "it needs %s (%s), which this machine does not have: %s", feature_rows[optional[k]].name, feature_rows[optional[k]].use, have.v[optional[k]].why);
	return NULL;
}
