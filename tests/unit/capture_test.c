/* Readers of captured nodes: each variety in a small text of our own, and what a packet does in it. */
#include <stdlib.h>

#include "model/dataplane/capture.h"
#include "sim/trace/trace.h"
#include "tests/unit/test.h"

struct seen { struct capture c; struct err err; bool ok; };

static struct seen read_as(const char *file, const char *text)
{
	struct seen s = { 0 };

	s.ok = capture_read_text(file, text, strlen(text), NULL, NULL, &s.c, &s.err);
	return s;
}

static void done(struct seen *s)
{
	capture_free(&s->c);
	err_free(&s->err);
}

static ip_addr ip(const char *s)
{
	ip_addr a = { 0, 0 };

	if (s && !ip_parse(s, &a))
		fprintf(stderr, "\nno address: %s\n", s);
	return a;
}

/* src NULL: the node itself. → "delivered dnat 10.0.0.1:80 masq", one outcome after another with its share */
static void ask(const struct seen *s, const char *src, const char *in, const char *dst, uint16_t port, uint8_t proto, struct sb *out)
{
	struct arena *a = arena_new(NULL, "walk");
	netns_h node = { 1 };
	struct walk_from p = { .from = node, .enters = src != NULL, .in = in ? link_find(s->c.dp, node, in) : (link_h){ 0 },
			       .t = { .src = ip(src), .dst = ip(dst), .dport = port, .proto = proto } };
	struct trace t = walk(s->c.dp, flows_new(a, 0, 1), &p, WALK_RECORD, a);

	sb_reset(out);
	for (uint32_t k = 0; k < t.nr; k++) {
		const struct outcome *o = &t.v[k];

		sb_printf(out, "%s%" PRIu64 "/%" PRIu64 " %s", k ? "; " : "", o->p.num, o->p.den, verdict_names[o->there.verdict]);
		if (o->dnat)
			sb_printf(out, " dnat %s:%u", IP(o->first_nat.dst), o->first_nat.dport);
		if (o->snat)
			sb_printf(out, " snat %s", IP(o->snat_to));
		if (o->masqueraded)
			sb_add(out, " masq");
		if (o->there.verdict == V_DELIVERED && !o->answered)
			sb_add(out, " unanswered");
	}
	arena_free(a);
}

#define NODE "2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP\n    link/ether 52:54:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n    inet 192.168.1.10/24 scope global eth0\n" \
	     "3: cni0: <BROADCAST,UP,LOWER_UP> mtu 1450\n    link/ether 52:54:00:00:00:02 brd ff:ff:ff:ff:ff:ff\n    inet 10.244.1.1/24 scope global cni0\n" \
	     "default via 192.168.1.1 dev eth0\n10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1\n192.168.1.0/24 dev eth0 proto kernel scope link src 192.168.1.10\n" \
	     "10.244.2.0/24 via 192.168.1.11 dev eth0\n"

struct row { const char *rules; const char *src, *in, *dst; uint16_t port; uint8_t proto; const char *want; };

static void walk_rows(const struct row *row, size_t nr)
{
	struct sb out = { 0 }, text = { 0 };

	for (size_t k = 0; k < nr; k++) {
		struct seen s;

		sb_reset(&text);
		sb_printf(&text, "%s%s", NODE, row[k].rules);
		s = read_as("node.txt", sb_text(&text));
		CU_ASSERT_FATAL(s.ok);
		ask(&s, row[k].src, row[k].in, row[k].dst, row[k].port, row[k].proto ? row[k].proto : 6, &out);
		if (!streq(sb_text(&out), row[k].want))
			fprintf(stderr, "\n%s\n", row[k].rules);
		SAME_TEXT(sb_text(&out), row[k].want);
		done(&s);
	}
	sb_free(&out);
	sb_free(&text);
}

#define SAVE(nat, filter) "*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n" nat "COMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" filter "COMMIT\n"
#define SVC ":KUBE-SVC - [0:0]\n:KUBE-SEP-A - [0:0]\n:KUBE-SEP-B - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n-A PREROUTING -m comment --comment \"kubernetes service portals; it's \\\"so\\\"\" -j KUBE-SVC\n" \
	    "-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully\n-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n" \
	    "-A KUBE-SVC ! -s 10.244.0.0/16 -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-MARK-MASQ\n" \
	    "-A KUBE-SVC -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -m statistic --mode random --probability 0.33332999982 -j KUBE-SEP-A\n-A KUBE-SVC -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SEP-B\n" \
	    "-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.244.1.5:6443\n-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.244.2.5:6443\n"

TEST(iptables_save_walks)
{
	static const struct row row[] = {
		{ SAVE(SVC, ""), "10.244.1.9", "cni0", "10.96.0.1", 443, 0, "1/3 delivered dnat 10.244.1.5:6443; 2/3 delivered dnat 10.244.2.5:6443" },
		{ SAVE(SVC, ""), "203.0.113.9", "eth0", "10.96.0.1", 443, 0,
		  "1/3 delivered dnat 10.244.1.5:6443 snat 10.244.1.1 masq; 2/3 delivered dnat 10.244.2.5:6443 snat 192.168.1.10 masq" },
		{ SAVE(SVC, ""), "203.0.113.9", "eth0", "10.96.0.1", 80, 0, "1/1 delivered" },
		{ SAVE("", "-A FORWARD -o cni0 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 dropped" },
		{ SAVE("", "[3:180] -A FORWARD -o cni+ -p tcp -m multiport --dports 22,80:90 -j REJECT --reject-with tcp-reset\n"), "203.0.113.9", "eth0", "10.244.1.5", 85, 0, "1/1 rejected" },
		{ SAVE("", "-A FORWARD -m addrtype --dst-type LOCAL -j DROP\n-A INPUT -m addrtype ! --dst-type LOCAL -j DROP\n"), "203.0.113.9", "eth0", "192.168.1.10", 22, 0, "1/1 delivered" },
		{ SAVE("", "-A INPUT -m iprange --src-range 203.0.113.1-203.0.113.20 -j DROP\n"), "203.0.113.9", "eth0", "192.168.1.10", 22, 0, "1/1 dropped" },
		/* what is not modelled matters where it could decide, and only there */
		{ SAVE("", "-A FORWARD -m string --algo bm --string x -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ SAVE("", "-A FORWARD -p udp -m string --algo bm --string x -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ SAVE("", "-A FORWARD -m string --algo bm --string x -j ACCEPT\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ SAVE("", "-A FORWARD -m string --algo bm --string x -j MARK --set-mark 1\n-A FORWARD -m mark --mark 1 -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ SAVE("", "-A FORWARD -j NFQUEUE --queue-num 1\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ SAVE("", "-A FORWARD -m set --match-set nobody src -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ SAVE(SVC, "-A FORWARD -m set --match-set nobody src -j DROP\n"), "10.244.1.9", "cni0", "10.96.0.1", 443, 0, "1/3 unknown dnat 10.244.1.5:6443; 2/3 unknown dnat 10.244.2.5:6443" },
		{ SAVE("", "-A FORWARD -m limit --limit 5/sec -j ACCEPT\n-A FORWARD -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ "create s hash:ip,port family inet\nadd s 10.244.1.5,tcp:80\n" SAVE("", "-A FORWARD -m set --match-set s dst,dst -j DROP\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 dropped" },
		{ "Name: s\nType: hash:net\nRevision: 6\nHeader: family inet hashsize 1024 maxelem 65536\nMembers:\n10.244.0.0/16\n\n" SAVE("", "-A FORWARD -m set ! --match-set s dst -j DROP\n"),
		  "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered unanswered" },
		/* a piece, a target that is not there, a table that is not there */
		{ "-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE\n", "10.244.1.9", "cni0", "8.8.8.8", 53, 17, "1/1 unknown snat 192.168.1.10 masq" },
		{ SAVE("-A PREROUTING -j KUBE-SERVICES\n", ""), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n", "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n...\nCOMMIT\n", "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n" SAVE("", ""), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		/* connection marks travel with the connection */
		{ "*mangle\n:PREROUTING ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A PREROUTING -i cni0 -j CONNMARK --set-xmark 0x80/0x80\n-A PREROUTING -j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80\n"
		  "-A FORWARD -m mark --mark 0x80/0x80 -j DROP\nCOMMIT\n", "10.244.1.9", "cni0", "8.8.8.8", 53, 17, "1/1 dropped" },
	};

	walk_rows(row, ARRAY_LEN(row));
}

#define L4 "Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination\n" \
	   "  12K  75M KUBE-SVC   all  --  *      *       0.0.0.0/0            0.0.0.0/0            /* kubernetes service portals */\n\n" \
	   "Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination\n" \
	   "    0     0 MASQUERADE  all  --  *      *       0.0.0.0/0            0.0.0.0/0            mark match 0x4000/0x4000 random-fully\n\n" \
	   "Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination\n\n" \
	   "Chain KUBE-MARK-MASQ (1 references)\n pkts bytes target     prot opt in     out     source               destination\n" \
	   "    0     0 MARK       all  --  *      *       0.0.0.0/0            0.0.0.0/0            MARK or 0x4000\n\n" \
	   "Chain KUBE-SVC (1 references)\n pkts bytes target     prot opt in     out     source               destination\n" \
	   "    0     0 KUBE-MARK-MASQ  tcp  --  *      *      !10.244.0.0/16        10.96.0.1            tcp dpt:443\n" \
	   "    0     0 KUBE-SEP-A  6    --  *      *       0.0.0.0/0            10.96.0.1            statistic mode random probability 0.50000000000 tcp dpt:443\n" \
	   "    0     0 DNAT       tcp  --  *      *       0.0.0.0/0            10.96.0.1            tcp dpt:443 to:10.244.2.5:6443\n\n" \
	   "Chain KUBE-SEP-A (1 references)\n pkts bytes target     prot opt in     out     source               destination\n" \
	   "    0     0 DNAT       tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            /* name: \"default\" id: 1 */ tcp to:10.244.1.5:6443\n"

#define LISTED(match) "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination\n\n" \
	"Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination\n" \
	"    0     0 DROP       tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80 " match "\n\n" \
	"Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination\n```\n"

TEST(iptables_listings_walk)
{
	static const struct row row[] = {
		{ "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n```\n" L4, "203.0.113.9", "eth0", "10.96.0.1", 443, 0,
		  "1/2 delivered dnat 10.244.1.5:6443 snat 10.244.1.1 masq; 1/2 delivered dnat 10.244.2.5:6443 snat 192.168.1.10 masq" },
		/* one packet is within every rate; what counts in other ways is not known */
		{ LISTED("limit: avg 5/min burst 7") L4, "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 dropped" },
		{ LISTED("limit: up to 5/min burst 7 mode srcip") L4, "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
	};

	walk_rows(row, ARRAY_LEN(row));
}

#define NFT(body) "table ip t {\n" body "}\n"
#define FORWARD_RULE(r) NFT("\tchain f {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\t" r "\n\t}\n")
#define SERVICES NFT("\tmap service-ips { # handle 3\n\t\ttype ipv4_addr . inet_proto . inet_service : verdict\n\t\tcomment \"ClusterIP\"\n\t\telements = { 10.96.0.1 . tcp . 443 comment \"default/k/https\" : goto service-X/k/tcp/,\n" \
	"\t\t\t     10.96.0.2 . udp . 53 : drop }\n\t}\n\tchain p {\n\t\ttype nat hook prerouting priority dstnat - 10; policy accept;\n\t\tip daddr . meta l4proto . th dport vmap @service-ips\n\t}\n" \
	"\tchain service-X/k/tcp/ {\n\t\tip daddr 10.96.0.1 tcp dport 443 ip saddr != 10.244.0.0/16 jump mark-masq\n\t\tnumgen random mod 2 vmap { 0 : goto endpoint-A, 1 : goto endpoint-B } # handle 9\n\t}\n" \
	"\tchain endpoint-A { ip saddr 10.244.1.5 jump mark-masq\n meta l4proto tcp dnat to 10.244.1.5:6443\n }\n\tchain endpoint-B {\n\t\tmeta l4proto tcp dnat ip to 10.244.2.5:6443\n\t}\n" \
	"\tchain mark-masq {\n\t\tmeta mark set meta mark | 0x00004000\n\t}\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\tmeta mark & 0x00004000 == 0x00000000 return\n" \
	"\t\tmeta mark set meta mark ^ 0x00004000\n\t\tmasquerade fully-random\n\t}\n")

TEST(nft_walks)
{
	static const struct row row[] = {
		{ SERVICES, "203.0.113.9", "eth0", "10.96.0.1", 443, 0, "1/2 delivered dnat 10.244.1.5:6443 snat 10.244.1.1 masq; 1/2 delivered dnat 10.244.2.5:6443 snat 192.168.1.10 masq" },
		{ SERVICES, "10.244.1.9", "cni0", "10.96.0.2", 53, 17, "1/1 dropped" },
		{ FORWARD_RULE("ct state established,related accept"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ FORWARD_RULE("ct state vmap { established : accept, new : drop }"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 dropped" },
		{ FORWARD_RULE("ip daddr { 10.244.1.0/24, 10.9.0.0-10.9.0.8 } tcp dport { 22, 80-90 } counter packets 1 bytes 2 drop comment \"x\""), "203.0.113.9", "eth0", "10.244.1.5", 85, 0, "1/1 dropped" },
		{ FORWARD_RULE("iifname \"eth*\" oifname != \"cni0\" drop"), "203.0.113.9", "eth0", "10.244.1.5", 85, 0, "1/1 delivered" },
		{ FORWARD_RULE("iifname eth0 meta random & 2147483647 < 1073741824 counter drop"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/2 delivered; 1/2 dropped" },
		{ FORWARD_RULE("fib saddr . iif oif 0 drop"), "10.244.1.77", "eth0", "10.244.1.5", 80, 0, "1/1 dropped" },
		{ FORWARD_RULE("fib daddr type local drop"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ FORWARD_RULE("tcp flags & (fin | syn | rst | ack) == syn reject with tcp reset"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 rejected" },
		{ FORWARD_RULE("limit rate over 10/second burst 5 packets drop"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ FORWARD_RULE("ip daddr @nowhere drop"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ FORWARD_RULE("xt match \"string\" drop"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ FORWARD_RULE("socket transparent 1 accept"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ FORWARD_RULE("udp dport 53 socket transparent 1 accept"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 delivered" },
		{ FORWARD_RULE("ct packets > 20 flow add @ft counter"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ FORWARD_RULE("jump gone"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ NFT("\tchain f {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\t...\n\t}\n"), "203.0.113.9", "eth0", "10.244.1.5", 80, 0, "1/1 unknown" },
		{ NFT("\tchain p {\n\t\ttype nat hook prerouting priority -100; policy accept;\n\t\tip daddr 10.96.0.9 tcp dport 80 dnat ip addr . port to numgen random mod 2 map { 0 : 10.244.1.5 . 80, 1 : 10.244.2.5 . 81 }\n\t}\n"),
		  "10.244.1.9", "cni0", "10.96.0.9", 80, 0, "1/2 delivered dnat 10.244.1.5:80; 1/2 delivered dnat 10.244.2.5:81" },
		{ NFT("\tmap m {\n\t\ttype ipv4_addr . inet_service : ipv4_addr . inet_service\n\t\telements = { 10.96.0.9 . 80 : 10.244.1.5 . 8080 }\n\t}\n\tchain p {\n\t\ttype nat hook prerouting priority -100; policy accept;\n"
		      "\t\tdnat ip addr . port to ip daddr . tcp dport map @m\n\t}\n"), "10.244.1.9", "cni0", "10.96.0.9", 80, 0, "1/1 delivered dnat 10.244.1.5:8080" },
	};

	walk_rows(row, ARRAY_LEN(row));
}

TEST(policy_routing)
{
	static const char text[] =
		"1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n    inet 127.0.0.1/8 scope host lo\n2: eth0: <BROADCAST,UP> mtu 9001\n    inet 172.31.0.5/20 scope global eth0\n3: veth1@if3: <BROADCAST,UP> mtu 9001\n"
		"```\nroot@n1:~# ip rule\n10:\tfrom all iif veth1 lookup 101\n20:\tfrom all lookup local\n512:\tfrom all to 172.31.3.9 lookup main\n1024:\tfrom all fwmark 0x80/0x80 lookup 102\n"
		"32766:\tfrom all lookup main\n32767:\tfrom all lookup default\nroot@n1:~# ip route\ndefault via 172.31.0.1 dev eth0\n172.31.3.9 dev veth1 scope link\nroot@n1:~# ip route show table 101\n"
		"default via 172.31.0.1 dev eth1\n172.31.3.9 dev veth1 scope link\nroot@n1:~# ip route show table 102\nblackhole default\nroot@n1:~#\n";
	struct seen s = read_as("session", text);
	struct flow_key f = { .dst = ip("8.8.8.8") };
	const char *why = NULL;
	struct route r;

	CU_ASSERT_FATAL(s.ok);
	SAME_TEXT(netns_get(s.c.dp, (netns_h){ 1 })->hostname, "n1");
	CU_ASSERT_EQUAL(route_lookup_flow(s.c.dp, (netns_h){ 1 }, &f, &r, &why), 1);
	SAME_TEXT(link_get(s.c.dp, r.dev)->name, "eth0");
	f.iif = str_find(s.c.dp->strings, "veth1");
	CU_ASSERT_EQUAL(route_lookup_flow(s.c.dp, (netns_h){ 1 }, &f, &r, &why), 1);
	SAME_TEXT(link_get(s.c.dp, r.dev)->name, "eth1");
	CU_ASSERT_EQUAL(r.table, 101);
	f = (struct flow_key){ .dst = ip("8.8.8.8"), .mark = 0x80 };
	CU_ASSERT_EQUAL(route_lookup_flow(s.c.dp, (netns_h){ 1 }, &f, &r, &why), 1);
	CU_ASSERT_EQUAL(r.type, RT_BLACKHOLE);
	f = (struct flow_key){ .dst = ip("172.31.0.5"), .iif = str_find(s.c.dp->strings, "veth1") };
	CU_ASSERT(!route_is_local(s.c.dp, (netns_h){ 1 }, &f));         /* rule 10 stands before the local table */
	f.iif = NULL;
	CU_ASSERT(route_is_local(s.c.dp, (netns_h){ 1 }, &f));
	done(&s);
}

static bool noted(const struct seen *s, const char *part)
{
	for (uint32_t k = 0; k < s->c.notes.nr; k++)
		if (strstr(s->c.notes.v[k].text, part))
			return true;
	return false;
}

TEST(says_what_is_missing)
{
	static const struct { const char *file, *text, *note; } row[] = {
		{ "a", "$ iptables-save -t nat | grep X\n:X - [0:0]\n-A PREROUTING -j X\n-A X -j DNAT --to-destination 1.2.3.4\n", "only a part of the rules" },
		{ "a", "-A X -j ACCEPT\n", "a table that nobody told" },
		{ "iptables_-t_filter_-nL", "Chain FORWARD (policy DROP)\ntarget     prot opt source               destination\nACCEPT     all  --  0.0.0.0/0            0.0.0.0/0\n", "without -v" },
		{ "a", "*nat\n:PREROUTING ACCEPT [0:0]\n", "before COMMIT" },
		{ "a", "default via 10.0.0.1 dev eth0\n", "no rules at all" },
		{ "a", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m set --match-set s1 src -m set ! --match-set s2 src,dst -j DROP\nCOMMIT\n", "2 ipsets" },
		{ "a", "table netdev x {\n\tchain i {\n\t\ttype filter hook ingress device \"eth0\" priority 0; policy accept;\n\t}\n}\n", "does not see what is routed" },
		{ "a", "table ip x {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n", "not complete" },
		{ "a", "kubectl get pods\n# node/n2\n10:\tfrom all uidrange 0-0 lookup 7\n1.2.3.0/24 dev eth0\n10.0.0.0/8 dev eth1 table 7\n", "the node's addresses" },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct seen s = read_as(row[k].file, row[k].text);

		CU_ASSERT(s.ok);
		if (s.ok && !noted(&s, row[k].note)) {
			fprintf(stderr, "\n%s\ndoes not note \"%s\":\n", row[k].text, row[k].note);
			for (uint32_t i = 0; i < s.c.notes.nr; i++)
				fprintf(stderr, "  %s\n", s.c.notes.v[i].text);
			CU_FAIL("a note");
		}
		done(&s);
	}
	{
		struct seen s = read_as("a", "nothing of a node\n");

		CU_ASSERT(!s.ok && err_any(&s.err));
		done(&s);
	}
}
